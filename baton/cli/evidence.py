"""Getting the evidence of a release into a folder, and showing what verifying it found."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from baton.cli.names import parse_release
from baton.cli.session import with_releases
from baton.cli.terminal import page, plain, print_json
from baton.evidence.folder import export, write
from baton.evidence.gather import gather
from baton.evidence.result import Verdict
from baton.model.evidence import Record
from baton.store import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from baton.cli.place import Place
    from baton.cli.releases import Releases
    from baton.evidence.result import EvidenceResult
    from baton.model.acts import Heard
    from baton.model.status import Entry, ReleaseStatus

_STYLE = {
    Verdict.VERIFIED: "green",
    Verdict.FAILED: "bold red",
    Verdict.REHEARSAL: "bold red",
    Verdict.PROVISIONAL: "yellow",
}


def export_evidence(place: Place, text: str, to: Path | None, *, as_json: bool) -> None:
    """Write the evidence of a release into a folder: the signed one, or what is known so far.

    Args:
        place: where the release and the store are.
        text: the release as it was typed.
        to: the folder; by default one named after the release, here.
        as_json: tell of it in a document.

    Raises:
        BatonError: there is no such release, it does not answer, or the store or the folder can't be used.
    """
    release = parse_release(text)
    folder = to or Path(f"{release.typed.replace('/', '-')}-evidence")

    async def ask(releases: Releases) -> tuple[ReleaseStatus, list[Heard], list[Entry]]:
        handle = await releases.open(release)
        status = await handle.status()
        if status.evidence is not None:
            return status, [], []
        return status, await handle.acts(), await handle.journal()

    status, acts, journal = with_releases(place, ask, quiet=as_json)
    store = open_store(place.store)
    if status.evidence is not None:
        export(store, status.evidence, folder)
    else:
        write(gather(_so_far(status, journal), acts, store.read), folder)
    signed = status.evidence is not None
    if as_json:
        print_json("evidence", {"release": release.workflow_id, "folder": str(folder.absolute()), "signed": signed})
        return
    what = "signed" if signed else "what is known so far, signed by nobody"
    page().print(f"Wrote the evidence of {release} to {folder}: {what}. Its page is {folder / 'index.html'}.")


def _so_far(status: ReleaseStatus, journal: Sequence[Entry]) -> Record:
    return Record(
        release=status.release,
        run=status.run,
        sandbox=status.sandbox,
        plan=status.plan,
        phase=status.phase,
        complete=False,
        at=datetime.now(UTC),
        manifest=None if status.manifest is None else status.manifest.digest,
        steps=status.steps,
        gates=status.gates,
        published=status.published,
        journal=tuple(journal),
    )


def show_verification(result: EvidenceResult, *, as_json: bool) -> None:
    """Show what was found, what is wrong, and the verdict; or print all of it as a document."""
    if as_json:
        verdict = {"ok": bool(result), "verdict": result.verdict, "failures": result.failures}
        print_json("evidence-verification", {**verdict, **result.model_dump(mode="json")})
        return
    console = page()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("Checked", "Verdict", "Found"):
        table.add_column(title, overflow="fold")
    for check in result.checks:
        verdict_of = Text("good", "green") if check.ok else Text("FAILED", "red")
        table.add_row(plain(check.subject), verdict_of, Text(plain(check.fact)))
    console.print(table)
    if result.unsigned or result.unsigned_allowed:
        console.print(
            f"\nUNSIGNED: this rehearsal takes people at their word; {result.unsigned} of what counted is signed by "
            "nobody, so that anyone may have said it.",
            style="bold red",
        )
    for failure in result.failures:
        console.print(Text(f"\n{plain(failure)}", "red"))
    console.print(Text(f"\n{_verdict(result)}", _STYLE[result.verdict]))


def _verdict(result: EvidenceResult) -> str:
    about = f"{result.release}, run {result.run}, plan {result.plan}"
    match result.verdict:
        case Verdict.VERIFIED:
            kind = "of a signed rehearsal " if result.sandbox else ""
            return (
                f"OK: the evidence {kind}of {about} holds, by {result.judged_by}: {result.acts} acts heard, "
                f"{result.refused} of them refused; signed by {' and '.join(result.signers)}."
            )
        case Verdict.REHEARSAL:
            return f"REHEARSAL: proves nothing. It is {about}, and holds together otherwise."
        case Verdict.PROVISIONAL:
            return f"SO FAR: what is here of {about} holds, but was written under way, and nobody signed it."
        case Verdict.FAILED:
            return f"FAILED: {len(result.failures)} things are wrong with the evidence of {about}."
