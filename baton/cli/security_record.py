"""What a security release leaves behind: the advisory's text, and the evidence of the whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from baton.advisory import Advised, Mended, advisory_text
from baton.cli.session import with_releases
from baton.cli.stored_manifest import manifest_in
from baton.cli.terminal import print_json
from baton.evidence.folder import export
from baton.evidence.joint import JOINT, STREAMS, gather_joint, verify_joint, write_joint
from baton.evidence.result import Verdict
from baton.model.errors import Failed, Refused
from baton.model.security import JointManifest, SecurityPhase, SecurityStatus
from baton.store import open_store

if TYPE_CHECKING:
    from baton.cli.place import Place
    from baton.cli.releases import Releases
    from baton.model.base import Digest
    from baton.model.gate import GateResult


def write_advisory(place: Place, text: str | None, out: Path | None) -> None:
    """Write the advisory's part about versions: on standard output, or into a file.

    Args:
        place: where the security release and the store are.
        text: its name as it was typed; None for the only one under way.
        out: the file.

    Raises:
        Refused: no stream's files are known yet.
        BatonError: there is none, it does not answer, or the store or the file can't be used.
    """
    status = with_releases(place, lambda releases: _status(releases, text))
    store = open_store(place.store)
    gate = _gate(status)
    joint = JointManifest.model_validate_json(store.read(gate.subject))
    public = {stream.version: stream.report for stream in status.streams}
    streams = []
    for stream in joint.streams:
        report = public.get(stream.version)
        urls = () if report is None else tuple(target.url for target in report.targets if target.url is not None)
        streams.append(Mended(stream, manifest_in(store, stream.manifest), urls))
    said = advisory_text(
        Advised(
            title=status.title,
            advisory=joint.advisory,
            public=status.phase is SecurityPhase.RELEASED,
            until=status.until,
            joint=gate.subject,
            streams=streams,
        )
    )
    if out is None:
        typer.echo(said, nl=False)
        return
    try:
        out.write_text(said, encoding="utf-8")
    except OSError as error:
        raise Failed(f"{out} can't be written: {error}") from error
    typer.echo(f"Wrote what {joint.advisory} is mended by to {out}", err=True)


def export_joint(place: Place, text: str | None, to: Path | None, *, as_json: bool) -> None:
    """Write the evidence of the whole and of each stream into a folder.

    Args:
        place: where the security release and the store are.
        text: its name as it was typed; None for the only one under way.
        to: the folder; by default one named after it, here.
        as_json: tell of it in a document.

    Raises:
        Refused: it is not finished.
        BatonError: there is none, or the store or the folder can't be used.
    """

    async def ask(releases: Releases) -> tuple[SecurityStatus, dict[str, Digest]]:
        status = await _status(releases, text)
        evidence = {}
        for stream in status.streams:
            handle = await releases.securities.stream(stream.workflow_id)
            told = None if handle is None or not stream.state.behind else await handle.status()
            if told is not None and told.evidence is not None:
                evidence[stream.version] = told.evidence
        return status, evidence

    status, evidence = with_releases(place, ask, quiet=as_json)
    if status.phase is not SecurityPhase.RELEASED:
        raise Refused(f"{status.release} is in phase {status.phase}; its evidence is there once it is released")
    folder = to or Path(f"{status.release.project}-{status.release.security[:12]}-evidence")
    store = open_store(place.store)
    write_joint(gather_joint(_gate(status), store.read), folder)
    for version, digest in evidence.items():
        export(store, digest, folder / STREAMS / version)
    if as_json:
        print_json("security-evidence", {"folder": str(folder.absolute()), "streams": evidence})
        return
    typer.echo(f"Wrote the evidence of {len(evidence)} streams, and {JOINT} of all of them, to {folder}")


def show_joint_verification(
    folder: Path, *, roster: Path | None, trust_config: Path | None, offline: bool, as_json: bool
) -> bool:
    """Verify the evidence of a security release, and show what was found.

    Returns:
        Whether all of it holds and everything that counted is signed.

    Raises:
        BatonError: there is no such evidence, or the means to verify it are not there.
    """
    result = verify_joint(folder, roster=roster, trust_config=trust_config, offline=offline)
    if as_json:
        facts = json.loads(result.model_dump_json())
        print_json("security-verification", {"ok": bool(result), "verdict": result.verdict, **facts})
        return bool(result)
    for check in result.checks:
        typer.echo(f"{'✓' if check.ok else '✗'}  {check.subject}: {check.fact}")
    about = f"{result.joint.release}, {', '.join(stream.version for stream in result.joint.streams)}"
    verdicts = {
        Verdict.VERIFIED: f"OK: {about}: people agreed to exactly this.",
        Verdict.REHEARSAL: f"REHEARSAL: proves nothing. It is {about}, and holds together.",
    }
    typer.echo(verdicts.get(result.verdict, f"FAILED: {len(result.failures)} things are wrong with {about}."))
    return bool(result)


async def _status(releases: Releases, text: str | None) -> SecurityStatus:
    return await (await releases.securities.find(text)).status()


def _gate(status: SecurityStatus) -> GateResult:
    if status.gate is None:
        raise Refused(f"{status.release} is in phase {status.phase}: what its streams ship is not known yet")
    return status.gate
