"""The real git, run so that neither a user's configuration nor a hostile address changes what it does."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from baton.model.errors import Failed, Missing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_ENDURES = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR")

_POINTERS = {
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_TEMPLATE_DIR",
    "GIT_WORK_TREE",
}


def local_environment() -> dict[str, str]:
    """For work inside our own folders: no configuration of the user or machine, so that everyone gets the same.

    See "Environment Variables" in git(1). Only files may be fetched from.
    """
    return {name: os.environ[name] for name in _ENDURES if name in os.environ} | {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ALLOW_PROTOCOL": "file",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }


def remote_environment() -> dict[str, str]:
    """For talking to a remote repository, with the credentials that the worker's own git is configured with.

    Baton's and Temporal's variables stay out of it, and so do those that would point git at another repository or make
    it say more than it should. Nothing asks for a password, and no address can make git run a program (``ext::``; see
    gitremote-ext(1)). A transfer of less than 1 kB/s for a minute is given up.
    """
    keep = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("BATON_", "TEMPORAL_", "GIT_TRACE")) and name not in _POINTERS
    }
    return keep | {
        "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
        "GIT_HTTP_LOW_SPEED_LIMIT": "1000",
        "GIT_HTTP_LOW_SPEED_TIME": "60",
        "GIT_TERMINAL_PROMPT": "0",
        "SSH_ASKPASS_REQUIRE": "never",
        "LC_ALL": "C",
    }


def git(*arguments: str, folder: Path, environment: Mapping[str, str] | None = None, stdin: bytes = b"") -> str:
    """Run git on our own folders and give what it prints, without the last line break.

    Args:
        arguments: the subcommand and its arguments.
        folder: where to run.
        environment: added to :func:`local_environment`.
        stdin: what git reads.

    Raises:
        Missing: there is no git on this machine.
        Failed: git reported an error; the message has its words.
    """
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=local_environment() | dict(environment or {}),
            input=stdin,
            capture_output=True,
            check=False,
            umask=0o022,
        )
    except FileNotFoundError as error:
        raise Missing("git is not on the PATH of this worker: install git 2.32 or later") from error
    if done.returncode != 0:
        words = done.stderr.decode(errors="replace").strip()
        raise Failed(f"git {arguments[0]} failed with exit code {done.returncode}: {words[-1000:]}")
    return done.stdout.decode(errors="surrogateescape").rstrip("\n")
