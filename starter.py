"""The operators' command line, for a checkout: ``python starter.py …`` is ``baton …``."""

from baton.cli.main import main

if __name__ == "__main__":
    main()
