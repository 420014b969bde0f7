"""Changing who signs a project's files, with notice given; and finding what was published otherwise than it says."""
