"""``baton policy audit``: what was published otherwise than the policy says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rich.table import Table

from baton.cli.exits import ExitCode
from baton.cli.terminal import notes, page, plain, print_json
from baton.model.base import counted
from baton.model.errors import Invalid, Missing
from baton.policy.audit import Audit, audit
from baton.policy.expected import Policy, policy_of_project
from baton.policy.published import fetch_published, find_published
from baton.project.read import read_project
from baton.trust.digests import load_digests
from baton.trust.documents import load_identities, project_identities
from baton.trust.verifiers import usable_cores

if TYPE_CHECKING:
    from baton.trust.digests import Digests

_ADDRESS = re.compile(r"https?://", re.IGNORECASE)


@dataclass(frozen=True)
class Means:
    """How the audit was called.

    Attributes:
        folder: has release.toml; None where there is a list alone.
        identities: a list's file, or the project whose list is at hand.
        digests: what the files have to be.
        keys: exported OpenPGP keys.
        ignored: patterns of files to leave out.
        released: the day of the releases, if somebody knows better than the signatures.
    """

    folder: Path | None
    identities: str | None
    digests: Path | None
    keys: tuple[Path, ...]
    ignored: tuple[str, ...]
    released: date | None
    trust_config: Path | None
    offline: bool


def show_audit(where: str, means: Means, *, as_json: bool) -> ExitCode:
    """Audit a folder or an address, and print what disagrees.

    Returns:
        `FAILED` if anything disagrees, or there was nothing to audit.

    Raises:
        BatonError: the policy or what is published can't be read.
    """
    policy = _policy(means, datetime.now(UTC).date())
    with notes().status("Auditing …"):
        found = _audited(where, policy, means)
    if as_json:
        print_json(
            "policy-audit", {"ok": bool(found), "project": policy.listed.project, **found.model_dump(mode="json")}
        )
    else:
        _print(found)
    return ExitCode.OK if found else ExitCode.FAILED


def _policy(means: Means, today: date) -> Policy:
    if means.identities is None:
        return policy_of_project(read_project(means.folder or Path()), today)
    file = Path(means.identities)
    if file.is_file() or file.suffix:
        return Policy(load_identities(file))
    return Policy(project_identities(means.identities, today).document)


def _audited(where: str, policy: Policy, means: Means) -> Audit:
    digests = load_digests(means.digests) if means.digests is not None else None
    if not _ADDRESS.match(where):
        return _compared(Path(where), digests, policy, means)
    with TemporaryDirectory(prefix="baton-audit-") as folder:
        recorded = fetch_published(where, Path(folder))
        if digests is not None and recorded is not None:
            raise Invalid(f"{where} says what the files have to be: leave --digests out")
        return _compared(Path(folder), digests or recorded, policy, means)


def _compared(root: Path, digests: Digests | None, policy: Policy, means: Means) -> Audit:
    return audit(
        find_published(root, digests, means.ignored),
        policy,
        public_keys=tuple(map(_key, means.keys)),
        trust_config=means.trust_config,
        offline=means.offline,
        released=means.released,
        processes=usable_cores(),
    )


def _key(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Missing(f"can't read the OpenPGP key {path}: {error.strerror}") from error


def _print(found: Audit) -> None:
    console = page()
    if found.disagreements:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for title in ("File", "Signature", "Wrong", "Why"):
            table.add_column(title, overflow="fold")
        for one in found.disagreements:
            table.add_row(plain(one.file), plain(one.signature or ""), str(one.wrong), plain(one.reason))
        console.print(table)
        console.print()
    console.print(_summary(found), style="green" if found else "bold red")


def _summary(found: Audit) -> str:
    total = f"{counted(found.files, 'file')} of {counted(len(found.released), 'version')}"
    unchecked = f"; {counted(found.unchecked, 'OpenPGP signature')} not checked, which takes a key (--gpg-key)"
    rest = unchecked if found.unchecked else ""
    rest += f"; {counted(len(found.passed_over), 'file')} of no release passed over" if found.passed_over else ""
    if found:
        return f"OK: {total} are signed as the policy says{rest}."
    differing = len({one.file for one in found.disagreements})
    return f"FAILED: {differing} of {total} are signed otherwise than the policy says{rest}."
