"""``python -m baton.sandbox.file_server FOLDER PORT``: serves a folder on loopback until it is told to stop."""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn

from baton.sandbox.files import file_server
from baton.sandbox.ports import HOST


def main(folder: Path, port: int) -> None:
    """Serve a folder in the foreground; ends on SIGTERM or SIGINT."""
    uvicorn.run(
        file_server(folder),
        host=HOST,
        port=port,
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
