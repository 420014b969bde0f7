"""``baton verify --provenance``: how files were made, for people who download."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from baton.cli.terminal import page, plain, print_json
from baton.model.base import short

if TYPE_CHECKING:
    from baton.trust import ProvenanceReport, ProvenanceResult, ReleaseResult
    from baton.trust.documents import Sourced


def show_provenance(report: ProvenanceReport, trusted: Sourced, *, as_json: bool) -> None:
    """Show how each file was made, what is wrong, and the verdict; or print all of it as a document."""
    if as_json:
        print_json("provenance-verification", _fields(report, trusted))
        return
    console = page()
    for file in report.files:
        console.print(Text.assemble((plain(file.name), "bold"), "  ", _verdict(bool(file))))
        console.print(_facts(file))
    if report.release is not None:
        console.print(Text.assemble((f"\n{plain(report.release.name)}", "bold"), "  ", _verdict(bool(report.release))))
        console.print(_agreed(report.release))
    for failure in report.failures:
        console.print(Text(f"\n{plain(failure)}", "red"))
    good, total = sum(map(bool, report.files)), len(report.files)
    document = trusted.document
    by = f"by the trusted identities of {document.project} number {document.serial} ({short(document.digest)})"
    verdict = "OK" if report else "FAILED"
    said = f"\n{verdict}: the provenance of {good} of {total} {'file' if total == 1 else 'files'} counts, {by}."
    console.print(Text(said, "green" if report else "bold red"))


def _verdict(good: bool) -> tuple[str, str]:  # noqa: FBT001  # the verdict itself
    return ("counts", "green") if good else ("FAILED", "bold red")


def _facts(file: ProvenanceResult) -> Table:
    rows = [("signed by", file.signature.identity)] if file.signature is not None else []
    if file.made is not None:
        made = file.made
        rows += [
            ("builder", made.builder),
            ("source", made.repository or "nothing proves what it was made of"),
            ("commit", made.commit),
            ("step", _step(made.parameters)),
            ("run", made.run),
            ("plan", made.plan),
            ("manifest", made.manifest),
        ]
    return _table(rows)


def _step(parameters: dict[str, Any]) -> str | None:
    """The planned step, and what was done to its files after it."""
    step = parameters.get("step")
    within = parameters.get("signedWithin") or []
    names = [part.get("name") for part in (step, *within) if isinstance(part, dict)]
    return ", then ".join(str(name) for name in names) or None


def _agreed(release: ReleaseResult) -> Table:
    rows = [("signed by", release.signature.identity)] if release.signature is not None else []
    if release.stated is not None:
        for gate in release.stated.gates:
            people = "; ".join(f"{one.by} as {one.role}, {one.proven_by or 'UNSIGNED'}" for one in gate.given)
            rows.append((f"gate {gate.name}", f"{people or 'nobody'}, about {gate.agreed_to}"))
    return _table(rows)


def _table(rows: list[tuple[str, str | None]]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 2))
    for name, value in rows:
        if value is not None:
            table.add_row(Text(plain(name), "dim"), Text(plain(value), overflow="fold"))
    return table


def _fields(report: ProvenanceReport, trusted: Sourced) -> dict[str, Any]:
    fields = report.model_dump(mode="json", by_alias=True)
    for file, result in zip(fields["files"], report.files, strict=True):
        file["ok"] = bool(result)
    if report.release is not None:
        fields["release"]["ok"] = bool(report.release)
        del fields["release"]["manifest"]["files"]
    document = trusted.document
    return {
        "ok": bool(report),
        "project": document.project,
        "identities": {"source": trusted.source, "digest": document.digest, "serial": document.serial},
        **fields,
    }
