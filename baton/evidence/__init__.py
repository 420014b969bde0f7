"""The record of a release that anyone can check later, with no Temporal and no Baton server."""
