"""A project's `release.toml`: reading it, checking it, and resolving the plan of a release from it."""
