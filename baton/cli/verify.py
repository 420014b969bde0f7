"""``baton verify``: for people who download; works alone, without a server or a release.toml."""

import re
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from baton.cli.arguments import Json
from baton.cli.exits import ExitCode
from baton.cli.terminal import notes, print_json
from baton.model.base import Digest
from baton.model.errors import Missing
from baton.model.version import Version
from baton.trust.digests import Digests, load_digests
from baton.trust.identities import TrustedIdentities, load_identities, shipped_identities
from baton.trust.result import Report
from baton.trust.subjects import Subject, find_subjects, signed_name
from baton.trust.verification import Trust, verify_subjects

_ADDRESS = re.compile(r"https?://", re.IGNORECASE)


def _version(text: str) -> str:
    try:
        return TypeAdapter[str](Version).validate_python(text)
    except ValidationError as error:
        raise typer.BadParameter(error.errors()[0]["msg"].removeprefix("Value error, ")) from error


def _digest(text: str) -> str:
    try:
        return TypeAdapter[str](Digest).validate_python(text)
    except ValidationError as error:
        raise typer.BadParameter("expected sha256: and 64 lower-case hexadecimal digits") from error


def verify(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="PATH|URL...", help="Files, signatures, folders, or their addresses.")
    ] = None,
    *,
    identities: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Who may sign what: the project's trusted-identities document."),
    ] = None,
    project: Annotated[
        str | None, typer.Option(metavar="NAME", help="Use the document that comes with Baton: cpython.")
    ] = None,
    version: Annotated[
        str | None,
        typer.Option(metavar="VERSION", parser=_version, help="Which version it is; else its name tells."),
    ] = None,
    digest: Annotated[
        str | None,
        typer.Option(metavar="sha256:HEX", parser=_digest, help="Verify --bundle for this digest, without the file."),
    ] = None,
    bundle: Annotated[Path | None, typer.Option(metavar="FILE", help="The Sigstore bundle for --digest.")] = None,
    digests: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What the files have to be; they need not be here. JSON or sha256sum's."),
    ] = None,
    gpg_key: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="A signer's exported OpenPGP key; may be repeated.")
    ] = None,
    trust_config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Another Sigstore instance's client trust configuration.")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not refresh Sigstore's trust root; take the one at hand.")
    ] = False,
    as_json: Json = False,
) -> None:
    r"""Verify who signed files, and that their signatures count.

    Finds .sigstore.json, .sigstore and .asc beside each file, and compares each signature with the project's list of
    trusted identities: the exact identity and issuer, or OpenPGP primary key, for the stream and the day. At least one
    signature has to count, and none may fail. Your own GnuPG keyring is not used.

    Examples:
      baton verify --project cpython Python-3.13.9.tgz
      baton verify --project cpython https://www.python.org/ftp/python/3.14.0/Python-3.14.0.tgz
      baton verify --identities hello.json dist/
      baton verify --project cpython --version 3.13.9 --digest sha256:HEX --bundle FILE --offline
    """
    document, source = _identities(identities, project)
    trust = Trust(
        identities=document,
        public_keys=tuple(_key(path) for path in gpg_key or ()),
        trust_config=trust_config,
        offline=offline,
    )
    with ExitStack() as stack:
        stack.enter_context(notes().status("Verifying …"))
        if digest is not None or bundle is not None:
            subjects = _given(paths, digest, bundle, version)
        else:
            known = load_digests(digests) if digests is not None else None
            subjects = _found(paths, known, version, stack)
        report = verify_subjects(subjects, trust, version=version)
    _show(report, document, source, as_json=as_json)
    if not report:
        raise typer.Exit(ExitCode.FAILED)


def _identities(file: Path | None, project: str | None) -> tuple[TrustedIdentities, str]:
    """The document, and where it came from."""
    if file is not None and project is None:
        return load_identities(file), str(file)
    if project is not None and file is None:
        return shipped_identities(project), "shipped with Baton"
    raise typer.BadParameter("say who may sign: either --identities FILE, or --project cpython")


def _given(
    paths: list[str] | None, digest: str | None, bundle: Path | None, version: str | None
) -> tuple[Subject, ...]:
    if digest is None or bundle is None or paths:
        raise typer.BadParameter("--digest and --bundle go together, and stand in place of PATH or URL")
    if not bundle.is_file():
        raise Missing(f"the bundle {bundle} is not there")
    return (Subject(name=signed_name(bundle.name), path=None, digest=digest, version=version, signatures=(bundle,)),)


def _found(
    paths: list[str] | None, digests: Digests | None, version: str | None, stack: ExitStack
) -> tuple[Subject, ...]:
    if not paths:
        raise typer.BadParameter("name what to verify: PATH or URL, or --digest with --bundle")
    local = [_fetched(path, stack) if _ADDRESS.match(path) else Path(path) for path in paths]
    return find_subjects(local, digests, version=version)


def _fetched(address: str, stack: ExitStack) -> Path:
    """A temporary folder with what is at the address."""
    # Only needed for addresses, and httpx takes a tenth of a second to import.
    from baton.trust.download import download  # noqa: PLC0415

    folder = Path(stack.enter_context(TemporaryDirectory(prefix="baton-verify-")))
    download(address, folder)
    return folder


def _key(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Missing(f"can't read the OpenPGP key {path}: {error.strerror}") from error


def _show(report: Report, document: TrustedIdentities, source: str, *, as_json: bool) -> None:
    if not as_json:
        from baton.cli.verify_page import print_report  # noqa: PLC0415  # Rich's tables, not needed for --help

        print_report(report, document)
        return
    fields = report.model_dump(mode="json", by_alias=True)
    for file, result in zip(fields["files"], report.files, strict=True):
        file["ok"] = bool(result)
        for signature, judged in zip(file["signatures"], result.signatures, strict=True):
            signature["ok"] = bool(judged)
    identities = {"source": source, "digest": document.digest, "issued": document.issued.isoformat()}
    print_json("verification", {"ok": bool(report), "project": document.project, "identities": identities, **fields})
