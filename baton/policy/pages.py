"""The documents that announce a change: Markdown, from the templates beside this."""

from __future__ import annotations

import difflib
import json
import re
import shlex
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from baton.model.version import StreamStatus
from baton.policy.facts import needle, stopped, stream_facts
from baton.project.read import FILE_NAME
from baton.trust.identities import GITHUB_ISSUER, SignatureKind, TrustedKey, TrustedWorkflow, Who, signature_kind

if TYPE_CHECKING:
    from baton.policy.change import Change
    from baton.policy.facts import StreamFacts
    from baton.trust.identities import TrustedIdentities, TrustedIdentity, TrustedStream

DIFFERENCE, LIST = f"{FILE_NAME}.diff", "identities.json"
PAGES = ("signers.md", "announcement.md", "deprecation.md", "verifiers.md")
NAMES = (DIFFERENCE, LIST, *PAGES)
"""Every document that a change may have."""

_WORDS = {SignatureKind.SIGSTORE: "Sigstore", SignatureKind.OPENPGP: "OpenPGP"}


def documents(change: Change) -> dict[str, bytes]:
    """What a change is published and carried out with, by file name; what there is no need of is left out."""
    made = {}
    if change.changed != change.document:
        made[DIFFERENCE] = _difference(change).encode()
    if change.list_changes:
        made[LIST] = _laid_out(change.listed).encode()
    environment = _environment()
    facts = _facts(change)
    return made | {name: _page(environment, name, facts) for name in PAGES}


def _difference(change: Change) -> str:
    """A unified diff that ``git apply`` and ``patch -p1`` take, in the folder of the file."""
    before, after = (text.decode().splitlines(keepends=True) for text in (change.document, change.changed))
    lines = difflib.unified_diff(before, after, fromfile=f"a/{FILE_NAME}", tofile=f"b/{FILE_NAME}")
    # A last line without its end is said to be so, as diff(1) does it.
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _laid_out(document: TrustedIdentities) -> str:
    """The list as people keep it: one signer a line, defaults left out."""
    fields = document.model_dump(mode="json", by_alias=True, exclude_none=True)
    lines = [
        f"  {json.dumps(key)}: {json.dumps(fields[key], ensure_ascii=False)},\n" for key in fields if _said(key, fields)
    ]
    streams = ",\n".join(map(_laid_out_stream, document.streams))
    return "".join(("{\n", *lines, '  "streams": [\n', streams, "\n  ]\n}\n"))


def _said(key: str, fields: dict[str, Any]) -> bool:
    return key != "streams" and fields[key] not in ([], ())


def _laid_out_stream(stream: TrustedStream) -> str:
    requires = f'      "requires": {json.dumps(stream.requires)},\n' if stream.requires else ""
    entries = ",\n".join(f"        {_one_line(entry)}" for entry in stream.trusted)
    return f'    {{\n      "name": "{stream.name}",\n{requires}      "trusted": [\n{entries}\n      ]\n    }}'


def _one_line(entry: TrustedIdentity) -> str:
    """The entry with who it is first, and the days last."""
    fields = entry.model_dump(mode="json", by_alias=True, exclude_none=True)
    last = {key: fields.pop(key) for key in ("from", "until", "revoked") if key in fields}
    return json.dumps({"kind": fields.pop("kind")} | fields | last, ensure_ascii=False)


def _facts(change: Change) -> dict[str, Any]:
    streams = stream_facts(change)
    phase_out = change.phase_out
    machines = [
        entry
        for stream in streams
        if stream.name == phase_out.machine_from
        for entry in stream.counting
        if entry.who is Who.MACHINE and signature_kind(entry) is SignatureKind.SIGSTORE
    ]
    return {
        "project": change.project.name,
        "title": change.project.settings.project.title,
        "machine_from": phase_out.machine_from,
        "no_gpg_from": phase_out.no_gpg_from,
        "today": change.today,
        "day": phase_out.day,
        "eve": phase_out.day - timedelta(days=1),
        "published": change.published,
        "listed": change.listed,
        "streams": streams,
        "maintained": [one for one in streams if one.status not in (None, StreamStatus.END_OF_LIFE)],
        "machines": machines,
        "pattern": "|".join(dict.fromkeys(re.escape(needle(entry)) for entry in stopped(streams))),
        "verify": f"--project {change.project.name}" if change.published else "--identities LIST",
    }


def _page(environment: Environment, name: str, facts: dict[str, Any]) -> bytes:
    return environment.get_template(f"{name}.jinja").render(facts).encode()


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=False,  # noqa: S701  # Markdown, for the project to read and publish as its own words
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        kind=lambda entry: _WORDS[signature_kind(entry)],
        signer=_signer,
        issuer=_issuer,
        until=_until,
        people=_people,
        gpg=_gpg,
        life=_life,
        names=_names,
        quoted=shlex.quote,
        days=_days,
    )
    return environment


def _signer(entry: TrustedIdentity) -> str:
    if isinstance(entry, TrustedKey):
        return entry.fingerprint
    return str(entry).partition(" (issuer ")[0]


def _issuer(entry: TrustedIdentity) -> str:
    if isinstance(entry, TrustedKey):
        return ""
    return GITHUB_ISSUER if isinstance(entry, TrustedWorkflow) else entry.issuer


def _until(entry: TrustedIdentity, stream: StreamFacts) -> str:
    if entry.revoked is not None:
        return f"revoked on {entry.revoked}"
    if entry.last is not None:
        return f"{entry.last}"
    return f"{stream.end_of_life}, its end of life" if stream.end_of_life else "its end of life"


def _days(entry: TrustedIdentity) -> str:
    """As a comment in a shell; nothing for who counts on every day."""
    spans = [f"{word} {day}" for word, day in (("from", entry.first), ("until", entry.last)) if day is not None]
    return f"  # signed {' '.join(spans)}" if spans else ""


def _people(stream: StreamFacts) -> str:
    own = [one for one in stream.signers if one.who is Who.HUMAN and signature_kind(one) is SignatureKind.SIGSTORE]
    if not own:
        return "none"
    if stream.people_end:
        return f"until {max(one.last for one in own if one.last is not None)}"
    return f"as before{_life(stream)}"


def _gpg(stream: StreamFacts) -> str:
    if stream.openpgp:
        return f"as before{_life(stream)}"
    ended = [one.last for one in stream.signers if signature_kind(one) is SignatureKind.OPENPGP and one.last]
    return f"until {max(ended)}" if ended else "none"


def _life(stream: StreamFacts) -> str:
    return f", until its end of life on {stream.end_of_life}" if stream.end_of_life else ""


def _names(stream: StreamFacts, *kinds: str, who: tuple[str, ...] = tuple(Who)) -> str:
    listed = (entry for entry in stream.counting if signature_kind(entry) in kinds and entry.who in who)
    return ", ".join(f"`{_signer(entry)}`" for entry in listed)
