"""The order of things: deterministic, no I/O, readable top to bottom as the runbook."""
