"""Who is told: one port, one file for each channel."""
