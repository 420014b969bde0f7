"""The team's OpenPGP key: what the commands do, and what they say of it."""

from __future__ import annotations

import os
import shlex
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr
from rich.text import Text

from baton.cli.terminal import confirm, notes, print_json, show
from baton.signers.key_home import KeyHome, open_key_home, require_gpg_home
from baton.signers.key_publishing import PUBLIC_KEY, write_files
from baton.signers.secrets import read_secret
from baton.signers.team_key import (
    Reason,
    add_subkey,
    extend,
    find_part,
    make_key,
    public_half,
    revocation_certificate,
    revoke,
    worker_file,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from baton.signers.key_parts import Key, KeyPart

_PASSPHRASE = "BATON_KEYS_PASSPHRASE"  # noqa: S105  # the variable's name
_PUBLIC, _WORKER, _OFFLINE = "public", "worker", "offline"


@dataclass(frozen=True)
class Means:
    """What every command is given.

    Attributes:
        home: with the offline part.
        out: where files go.
        key: the primary key's fingerprint; None, the only one.
        passphrase_file: with the key's passphrase; None, it is in the environment or asked for.
        as_json: whether the answer is a document and not a page.
    """

    home: Path
    out: Path
    key: str | None
    passphrase_file: Path | None
    as_json: bool

    @contextmanager
    def opened(self) -> Iterator[KeyHome]:
        """The home, with the passphrase that there is."""
        with open_key_home(self.home, self._passphrase()) as home:
            yield home

    def _passphrase(self) -> SecretStr | None:
        if self.passphrase_file is not None:
            return read_secret(self.passphrase_file, "--passphrase-file")
        given = os.environ.get(_PASSPHRASE)
        return None if given is None else SecretStr(given)


def make(means: Means, user_id: str, lifetime: str, worker_passphrase_file: Path | None) -> None:
    """Make the key, and every file that belongs to it."""
    passphrase = _worker_passphrase(worker_passphrase_file)
    require_gpg_home(means.home)
    with means.opened() as home:
        key = make_key(home, user_id, lifetime)
        [subkey] = key.subkeys
        written = _write_worker(means, home, key, subkey, passphrase)
        certificate = revocation_certificate(home, key)
        offline = {f"{key.primary.fingerprint}.rev": certificate}
        written["revocation"] = write_files(means.out / _OFFLINE, offline, mode=0o600)
        advice = [_KEEP_OFFLINE, _KEEP_APART, *_worker_advice(written["worker"][0], passphrase)]
        _report(means, home, key, written, advice)


def add(means: Means, lifetime: str, worker_passphrase_file: Path | None) -> None:
    """Add a signing subkey."""
    passphrase = _worker_passphrase(worker_passphrase_file)
    with means.opened() as home:
        before = home.key(means.key)
        subkey = add_subkey(home, before, lifetime)
        key = home.key(before.primary.fingerprint)
        written = _write_worker(means, home, key, subkey, passphrase)
        _report(means, home, key, written, [_PUBLISH_FIRST, *_worker_advice(written["worker"][0], passphrase)])


def prolong(means: Means, lifetime: str, parts: tuple[str, ...]) -> None:
    """Move the day on which the key, or parts of it, expire."""
    with means.opened() as home:
        key = extend(home, home.key(means.key), lifetime, parts)
        _report(means, home, key, {}, ["Publish the public files: until then everyone sees the old day."])


def withdraw(means: Means, fingerprint: str, why: tuple[str, str], *, yes: bool) -> None:
    """Revoke a subkey, or the whole key, after asking."""
    reason, text = why
    with means.opened() as home:
        key = home.key(means.key)
        part = find_part(key, fingerprint)
        what = "the whole key" if part is key.primary else "the subkey"
        confirm(
            f"Revoking {what} {part.fingerprint} makes everything that it has signed stop verifying, also what was "
            "signed before today, and can't be undone once it is published.",
            yes=yes,
            typed=part.fingerprint[-8:],
        )
        key = revoke(home, key, fingerprint, Reason(reason), text)
        advice = ["Publish the public files now: until then the key counts everywhere.", _SIGN_AGAIN]
        _report(means, home, key, {}, advice)


def publish(means: Means) -> None:
    """Write the public files."""
    with means.opened() as home:
        _report(means, home, home.key(means.key), {}, [])


_KEEP_OFFLINE = (
    "Keep HOME offline, in two places: without it the key can't be extended, nor a subkey added or revoked. "
    "No worker needs it."
)
_KEEP_APART = (
    "Keep the revocation certificate apart from HOME, on paper for one: whoever has it can end the key, "
    "and you can when HOME is lost."
)
_PUBLISH_FIRST = "Publish the public files before the new subkey signs: nobody can verify what an unknown one made."
_SIGN_AGAIN = "What it signed has to be signed again by another key."


def _worker_advice(file: Path, passphrase: SecretStr | None) -> tuple[str, ...]:
    kept = (
        () if passphrase is not None else ("The worker's file has the key's own passphrase; better is one of its own.",)
    )
    imported = (
        f"On the signing worker: gpg --homedir GNUPGHOME --import {shlex.quote(file.name)}; then delete the file."
    )
    return (*kept, imported)


def _worker_passphrase(file: Path | None) -> SecretStr | None:
    return None if file is None else read_secret(file, "--worker-passphrase-file")


def _write_worker(
    means: Means, home: KeyHome, key: Key, subkey: KeyPart, passphrase: SecretStr | None
) -> dict[str, list[Path]]:
    content = worker_file(home, key, subkey, passphrase)
    folder = means.out / _WORKER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {"worker": write_files(folder, {f"{subkey.fingerprint}.asc": content}, mode=0o600)}


def _report(means: Means, home: KeyHome, key: Key, written: Mapping[str, list[Path]], advice: list[str]) -> None:
    """Write the public files, and say what there is now and what to do about it."""
    half = public_half(home, key)
    files = {**written, "public": write_files(means.out / _PUBLIC, half.files, mode=0o644)}
    urls = [url for address in half.addresses for url in address.urls]
    if means.as_json:
        document = _document(key)
        paths = {kind: [str(path) for path in paths] for kind, paths in files.items()}
        print_json("keys", {"key": document, "files": paths, "web_key_urls": urls})
    else:
        show(_page(key, files, urls))
    for line in advice:
        notes().print(f"→ {line}", soft_wrap=True)


def _document(key: Key) -> dict[str, Any]:
    def part(one: KeyPart) -> dict[str, Any]:
        return {
            "fingerprint": one.fingerprint,
            "signs": one.can_sign,
            "made": one.made.isoformat(),
            "expires": one.expires.isoformat() if one.expires else None,
            "revoked": one.revoked,
        }

    return {"user_ids": list(key.user_ids), "primary": part(key.primary), "subkeys": [part(one) for one in key.subkeys]}


def _page(key: Key, files: Mapping[str, list[Path]], urls: list[str]) -> Text:
    lines = [f"{', '.join(key.user_ids)}"]
    for one in (key.primary, *key.subkeys):
        kind = "primary" if one is key.primary else "subkey "
        ends = "revoked" if one.revoked else f"until {one.expires}" if one.expires else "without an end"
        lines.append(f"  {kind} {one.fingerprint}  {'signs' if one.can_sign else 'certifies'}, {ends}")
    for kind, paths in files.items():
        shown = [path for path in paths if kind != "public" or path.name == PUBLIC_KEY]
        lines += [f"  {kind}: {path}" for path in shown]
    lines += [f"  looked up at {url}" for url in urls]
    return Text("\n".join(lines), overflow="fold")
