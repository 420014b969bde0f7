"""How a step gets its artifacts made: one port, one file for each way."""
