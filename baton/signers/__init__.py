"""How a signature is made: one port, one file for each kind."""
