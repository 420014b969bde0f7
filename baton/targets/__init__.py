"""Where files go: one port, one file for each kind of place."""
