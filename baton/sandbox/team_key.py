"""A throw-away team key: a certify-only primary key and a signing subkey, as a real team has them.

A real team's primary key is offline. Here both parts lie unprotected in the state folder: this key vouches for nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from baton.model.errors import Failed
from baton.sandbox.sigstore import SANDBOX_DOMAIN, SANDBOX_MARKER
from baton.sandbox.state import write_private
from baton.trust.gnupg_home import LONGEST_HOME, open_home

if TYPE_CHECKING:
    from baton.sandbox.state import State

_PARAMETERS = f"""\
Key-Type: eddsa
Key-Curve: ed25519
Key-Usage: cert
Subkey-Type: eddsa
Subkey-Curve: ed25519
Subkey-Usage: sign
Name-Real: Team key
Name-Comment: {SANDBOX_MARKER}
Name-Email: team@{SANDBOX_DOMAIN}
Expire-Date: 0
%no-protection
%commit
"""
"""For ``gpg --generate-key --batch``: GnuPG manual, "Unattended key generation"."""

_SHORT_FOLDERS = ("/run/user/{uid}", "{temporary}", "/tmp")  # noqa: S108  # mkdtemp makes a private folder in it


@dataclass(frozen=True)
class PublicKey:
    """The public half.

    Attributes:
        fingerprint: of the primary key, 40 hexadecimal digits in upper case.
        file: the ASCII-armoured key block.
    """

    fingerprint: str
    file: Path


class TeamKey:
    """The team key of a state folder, with the GnuPG home that the signing worker uses.

    An agent's sockets lie in its home, and their addresses are short. Where the state folder's path is too long for
    them, the home is reached by a link in a temporary folder; the keys themselves stay in the state folder.
    """

    def __init__(self, state: State) -> None:
        self._keys = state.folder / "gnupg"
        self._public = state.folder / "team_key.asc"
        self._record = state.folder / "gnupg-home.txt"

    def make(self) -> PublicKey:
        """Make the key, or find the one that was made before.

        Raises:
            Missing: gpg is not installed.
            Failed: gpg made no key.
        """
        if not self._public.exists():
            # Without its public half the key was not finished, and nothing was signed with it.
            shutil.rmtree(self._keys, ignore_errors=True)
        home = open_home(self.home())
        if not self._public.exists():
            made = home.gen_key(_PARAMETERS)
            if not made.fingerprint:
                raise Failed(f"gpg made no team key in {self._keys}: {made.stderr}")
            write_private(self._public, home.export_keys(made.fingerprint).encode())
        [key] = home.list_keys(secret=True)
        return PublicKey(fingerprint=key["fingerprint"], file=self._public)

    def home(self) -> Path:
        """The GnuPG home by a path that is short enough; it stays the same until the agent is ended."""
        self._keys.mkdir(mode=0o700, exist_ok=True)
        if len(os.fsencode(self._keys)) <= LONGEST_HOME:
            return self._keys
        link = self._linked()
        if link is None or not link.exists():
            link = Path(tempfile.mkdtemp(prefix="baton-", dir=_short_folder())) / "gnupg"
            link.symlink_to(self._keys)
            write_private(self._record, os.fsencode(link))
        return link

    def end_agent(self) -> None:
        """End the agent that gpg has started for the home, and remove the link to it."""
        home = self._linked() or self._keys
        if home.exists() and len(os.fsencode(home)) <= LONGEST_HOME:
            subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], capture_output=True, check=False)
        if home != self._keys:
            shutil.rmtree(home.parent, ignore_errors=True)
            self._record.unlink(missing_ok=True)

    def _linked(self) -> Path | None:
        """The link to the home, if one was made."""
        try:
            return Path(os.fsdecode(self._record.read_bytes()))
        except FileNotFoundError:
            return None


def _short_folder() -> Path:
    """The first of the usual temporary folders in which a home has a short path."""
    room = LONGEST_HOME - len("/baton-12345678/gnupg")
    names = {"uid": os.getuid(), "temporary": tempfile.gettempdir()}
    folders = [Path(folder.format_map(names)) for folder in _SHORT_FOLDERS]
    return next(folder for folder in folders if os.access(folder, os.W_OK) and len(os.fsencode(folder)) <= room)
