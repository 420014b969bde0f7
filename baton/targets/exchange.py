"""Putting one folder in another's place at one moment."""

from __future__ import annotations

import ctypes
import errno
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
"""From ``fcntl.h`` and ``stdio.h`` of Linux: renameat2(2)."""

_CANNOT = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP})
"""What a kernel or filesystem answers that can't exchange names."""


def exchange(new: Path, public: Path, *, aside: Path) -> None:
    """Let two folders of one filesystem trade their names, so that whoever looks finds the one or the other.

    Linux does that at one moment on most of its filesystems (renameat2(2)). Where it can't be done so, the public
    folder is put aside first, and for a moment nothing is there; :func:`mend` puts right what a crash leaves then.

    Args:
        new: what is to be public; afterwards it is what was.
        public: where.
        aside: where the public folder may be put for the moment; nothing is there.

    Raises:
        OSError: they can't be exchanged; what was public is public.
    """
    if _exchanged(new, public):
        return
    public.rename(aside)
    try:
        new.rename(public)
    except OSError:
        aside.rename(public)
        raise
    aside.rename(new)


def mend(public: Path, *, aside: Path) -> None:
    """Make public again what an exchange had put aside when it was cut off.

    Raises:
        OSError: that can't be done.
    """
    if aside.is_dir() and not os.path.lexists(public):
        aside.rename(public)


def _exchanged(new: Path, public: Path) -> bool:
    """Whether the system could do it at one moment."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None) if os.name == "posix" else None
    if rename is None:
        return False
    if rename(_AT_FDCWD, os.fsencode(new), _AT_FDCWD, os.fsencode(public), ctypes.c_uint(_RENAME_EXCHANGE)) == 0:
        return True
    problem = ctypes.get_errno()
    if problem in _CANNOT:
        return False
    raise OSError(problem, os.strerror(problem), str(public))
