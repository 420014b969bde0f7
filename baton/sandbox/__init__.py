"""A whole local world for development and tests."""
