"""``baton identities``: fetching a newer list of trusted identities, and checking one before it is published."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import typer
from pydantic import TypeAdapter, ValidationError

from baton.cli.exits import ExitCode, WrongCall
from baton.cli.terminal import print_json
from baton.model.base import short
from baton.model.errors import BatonError, Missing
from baton.model.version import Version
from baton.trust.documents import (
    held_identities,
    keep_identities,
    load_identities,
    published_schema,
)
from baton.trust.subjects import SUFFIXES
from baton.trust.succession import adopt, require_signed, require_successor
from baton.trust.verifiers import Trust
from baton.trust.withdrawal import withdrawn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from baton.trust.identities import TrustedIdentities

_ADDRESS = re.compile(r"https?://", re.IGNORECASE)


@dataclass(frozen=True)
class Means:
    """How the command was called, whatever it is to do."""

    trusting: Path | None
    trust_config: Path | None
    offline: bool
    as_json: bool

    def trust(self, document: TrustedIdentities) -> Trust:
        """What the signatures of a newer document are checked with."""
        return Trust(document, trust_config=self.trust_config, offline=self.offline)


def check_list(file: Path, published: Sequence[str] | None, means: Means) -> ExitCode:
    """Say what is wrong with a document, and what it takes back.

    Raises:
        Missing, Invalid: one of the files is not there, or is no such document.
        WrongCall: what should be a published version is none.
    """
    try:
        versions = TypeAdapter(list[Version] | None).validate_python(published)
    except ValidationError as error:
        raise WrongCall(f"--published: {error.errors()[0]['msg']}") from error
    document = load_identities(file)
    trusted = load_identities(means.trusting) if means.trusting is not None else document
    signed_by, problems = _signers(file, means.trust(trusted))
    try:
        require_successor(document, trusted, datetime.now(UTC).date())
    except BatonError as error:
        problems.append(str(error))
    problems += [str(lost) for lost in withdrawn(trusted, document, published=versions)]
    if means.as_json:
        print_json(
            "identities-check", {"ok": not problems, **_facts(document), "signed_by": signed_by, "problems": problems}
        )
    else:
        typer.echo(f"{file}: {_title(document)}, {len(document.streams)} streams")
        typer.echo(f"signed by: {', '.join(signed_by) or 'nobody yet; it can be named, but not fetched'}")
        typer.echo("\n".join(f"FAILED: {problem}" for problem in problems) or "OK")
    return ExitCode.FAILED if problems else ExitCode.OK


def _signers(file: Path, trust: Trust) -> tuple[list[str], list[str]]:
    """Who signed a document, and what is wrong with that."""
    if not any(file.with_name(file.name + suffix).is_file() for suffix in SUFFIXES):
        return [], []
    try:
        result = require_signed(file, trust)
    except BatonError as error:
        return [], [str(error)]
    return [str(signature.matched) for signature in result.signatures if signature], []


def fetch_list(which: str, means: Means) -> None:
    """Adopt the newest document that a project publishes.

    Raises:
        Missing: nothing is trusted yet to begin with, or nothing is at the address.
        Refused, Conflict, Invalid: the document may not take the trusted one's place.
        Unavailable, Failed: the server does not answer, or refuses.
    """
    # Only needed to fetch, and httpx takes a tenth of a second to import.
    from baton.trust.download import download  # noqa: PLC0415

    trusted, address = _beginning(which, means.trusting)
    with TemporaryDirectory(prefix="baton-identities-") as folder:
        file = download(address, Path(folder))
        today = datetime.now(UTC).date()
        document = adopt(file, means.trust(trusted), today)
        held = _held(document.project)
        if held is not None:
            # A file that is named can't bring an older list back, either.
            require_successor(document, held, today)
        kept = keep_identities(document, file)
    if means.as_json:
        print_json("identities", {**_facts(document), "new": document != held, "file": str(kept)})
        return
    word = "is the newest already" if document == held else "counts from now on"
    typer.echo(f"{_title(document)}, {word}: baton verify --project {document.project}")


def _beginning(which: str, trusting: Path | None) -> tuple[TrustedIdentities, str]:
    """The document that is trusted, and the address of a newer one."""
    if _ADDRESS.match(which):
        if trusting is None:
            raise Missing(
                f"nothing says who may sign {which}: name the project's list that you trust with --trusting FILE; "
                "later on the project's name is enough, if the list has its address"
            )
        return load_identities(trusting), which
    trusted = load_identities(trusting) if trusting is not None else held_identities(which).document
    if trusted.address is None:
        raise Missing(f"the trusted identities of {trusted.project} do not say where newer ones are: give the address")
    return trusted, trusted.address


def _held(project: str) -> TrustedIdentities | None:
    try:
        return held_identities(project).document
    except Missing:
        return None


def show_schema() -> None:
    """Print the JSON Schema of the document."""
    typer.echo(published_schema(), nl=False)


def _title(document: TrustedIdentities) -> str:
    lasts = f", until {document.expires}" if document.expires else ""
    return f"{document.project} number {document.serial} of {document.issued}{lasts} ({short(document.digest)})"


def _facts(document: TrustedIdentities) -> dict[str, Any]:
    fields = document.model_dump(mode="json", include={"project", "serial", "issued", "expires"})
    return {**fields, "digest": document.digest}
