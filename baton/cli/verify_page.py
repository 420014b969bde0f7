"""What ``baton verify`` shows to people."""

from rich.table import Table
from rich.text import Text

from baton.cli.terminal import page
from baton.model.base import short
from baton.trust.documents import Sourced
from baton.trust.result import Fault, FileResult, Report, SignatureResult


def print_report(report: Report, trusted: Sourced) -> None:
    """Print a table of files and their signatures, then what is wrong, then the verdict."""
    console = page()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("File", "Signature", "By", "Verdict"):
        table.add_column(title, overflow="fold")
    for file in report.files:
        _add(table, file)
    console.print(table)
    for failure in report.failures:
        console.print(f"\n{failure}", style="red")
    console.print(f"\n{_summary(report, trusted)}", style="green" if report else "bold red")


def _add(table: Table, file: FileResult) -> None:
    if not file.signatures:
        table.add_row(file.name, "", "", Text("FAILED", style="red"))
    for number, signature in enumerate(file.signatures):
        table.add_row("" if number else file.name, str(signature.kind), _signer(signature), _verdict(signature))


def _signer(signature: SignatureResult) -> str:
    if signature.identity is None:
        return f"unknown key {signature.signing_key}" if signature.signing_key else "nobody"
    by = f"{signature.identity}\n{signature.issuer}" if signature.issuer else signature.identity
    on = f", {signature.signed_at:%Y-%m-%d}" if signature.signed_at else ""
    states = f" ({', '.join(signature.states)})" if signature.states else ""
    return f"{by}{states}{on}"


def _verdict(signature: SignatureResult) -> Text:
    if signature and signature.matched is not None:
        return Text(f"counts ({signature.matched.who})", style="green")
    if signature.fault is Fault.NOT_CHECKED:
        return Text("not checked", style="yellow")
    return Text(f"FAILED: {signature.fault}", style="red")


def _summary(report: Report, trusted: Sourced) -> str:
    document = trusted.document
    total, good = len(report.files), sum(1 for file in report.files if file)
    unchecked = sum(s.fault is Fault.NOT_CHECKED for file in report.files for s in file.signatures)
    by = (
        f"by the trusted identities of {document.project} number {document.serial} of {document.issued} "
        f"({short(document.digest)}; {trusted.source})"
    )
    note = (
        f"; OpenPGP signatures not checked, which takes the file and a key (--gpg-key): {unchecked}"
        if unchecked
        else ""
    )
    if report:
        return f"OK: {total} {'file verifies' if total == 1 else 'files verify'} {by}{note}."
    return f"FAILED: {good} of {total} files verify {by}{note}."
