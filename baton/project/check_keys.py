"""Whether the OpenPGP keys of a project are what its `release.toml` says, and how long they last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from baton.model.errors import BatonError
from baton.project.check_people import SOON
from baton.project.finding import error, ok, warning
from baton.project.key_files import named
from baton.project.read import spelled
from baton.signers.key_parts import Key, key_problem
from baton.trust.gnupg_home import open_home, temporary_home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from baton.project.finding import Finding
    from baton.project.read import Project


def openpgp_findings(project: Project, today: date) -> Iterator[Finding]:
    """What is to be said of each key file that the project names."""
    files = list(named(project.settings))
    if not files:
        return
    try:
        with temporary_home() as home:
            gpg = open_home(home)
            blocks = {path: list(gpg.scan_keys_mem(block)) for path, block in project.public_keys.items()}
    except BatonError as problem:
        yield error("OpenPGP keys", f"they can't be looked at: {problem}")
        return
    for place, fingerprint, path in files:
        yield from _key(f"{spelled(place)} {path}", fingerprint, blocks[path], today)


def _key(subject: str, fingerprint: str, keys: list[dict[str, Any]], today: date) -> Iterator[Finding]:
    found = [key["fingerprint"] for key in keys]
    if found != [fingerprint]:
        what = f"holds {' and '.join(found)}" if found else "holds no key that gpg can read"
        hint = f"export that key alone: gpg --armor --export {fingerprint}"
        yield error(subject, f"{what}; expected {fingerprint}", hint)
        return
    key = Key.of(keys[0])
    if (problem := key_problem(key, today, SOON)) is not None:
        yield (error if problem.fatal else warning)(subject, problem.fact, problem.remedy)
        if problem.fatal:
            return
    until = "" if key.last_day is None else f", valid until {key.last_day}"
    yield ok(subject, f"is the key that is named{until}")
