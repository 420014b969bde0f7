"""``baton verify``: for people who download; works alone, without a server or a release.toml."""

from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from baton.cli.arguments import Json
from baton.cli.exits import ExitCode
from baton.cli.local import local_paths
from baton.cli.terminal import notes, print_json
from baton.model.base import Commit, Digest
from baton.model.errors import Missing
from baton.model.version import Version
from baton.trust import Expected, ProvenanceReport, Report, SignatureKind, Trust, verify_provenance
from baton.trust.digests import Digests, load_digests
from baton.trust.documents import Sourced, load_identities, project_identities
from baton.trust.subjects import Subject, find_files, find_subjects, signed_name
from baton.trust.verification import verify_subjects
from baton.trust.verifiers import usable_cores


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


def _commit(text: str) -> str:
    try:
        return TypeAdapter[str](Commit).validate_python(text)
    except ValidationError as error:
        raise typer.BadParameter("expected the whole id of a commit: 40 or 64 lower-case hexadecimal digits") from error


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
        str | None,
        typer.Option(metavar="NAME", help="Use the document that comes with Baton (cpython), or was fetched."),
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
    require: Annotated[
        list[SignatureKind] | None,
        typer.Option(help="A kind of signature that each file must have, beside those that the list requires."),
    ] = None,
    provenance: Annotated[
        bool, typer.Option("--provenance", help="Verify how the files were made, by the statements beside them.")
    ] = False,
    source_repository: Annotated[
        str | None, typer.Option(metavar="URL", help="With --provenance: what the files must be made of.")
    ] = None,
    source_commit: Annotated[
        str | None,
        typer.Option(metavar="ID", parser=_commit, help="With --provenance: which commit they must be made of."),
    ] = None,
    manifest: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|URL",
            help="With --provenance: the manifest of the release in its evidence, which must list the files, and "
            "beside which it must be stated who agreed to it.",
        ),
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
    signature has to count, one of each kind that is required, and none may fail. Your own GnuPG keyring is not used.

    With --provenance it is not the signatures that are verified, but what a machine states of how each file was made
    (FILE.provenance.sigstore.json): by a trusted machine, about this very file, with the source that you require.

    Examples:
      baton verify --project cpython Python-3.13.9.tgz
      baton verify --project cpython https://www.python.org/ftp/python/3.14.0/Python-3.14.0.tgz
      baton verify --identities hello.json dist/
      baton verify --project cpython --version 3.13.9 --digest sha256:HEX --bundle FILE --offline
      baton verify --identities hello.json --provenance --source-repository https://git.example/hello.git dist/
    """
    trusted = _trusted(identities, project)
    trust = Trust(
        identities=trusted.document,
        public_keys=tuple(_key(path) for path in gpg_key or ()),
        trust_config=trust_config,
        offline=offline,
    )
    if provenance:
        if digest or bundle or digests or require or gpg_key:
            raise typer.BadParameter("--provenance goes with PATH or URL, and with none of the options for signatures")
        from baton.cli.provenance import show_provenance  # noqa: PLC0415  # Rich's tables, not needed for --help

        made = _made(paths, manifest, trust, Expected(version, source_repository, source_commit))
        show_provenance(made, trusted, as_json=as_json)
        raise typer.Exit(ExitCode.OK if made else ExitCode.FAILED)
    if source_repository or source_commit or manifest:
        raise typer.BadParameter("--source-repository, --source-commit and --manifest go with --provenance")
    with ExitStack() as stack:
        stack.enter_context(notes().status("Verifying …"))
        if digest is not None or bundle is not None:
            subjects = _given(paths, digest, bundle, version)
        else:
            known = load_digests(digests) if digests is not None else None
            subjects = _found(paths, known, version, stack)
        report = verify_subjects(subjects, trust, version=version, required=require or (), processes=usable_cores())
    _show(report, trusted, as_json=as_json)
    if not report:
        raise typer.Exit(ExitCode.FAILED)


def _made(paths: list[str] | None, manifest: str | None, trust: Trust, expected: Expected) -> ProvenanceReport:
    if not paths:
        raise typer.BadParameter("name what to verify: PATH or URL")
    with ExitStack() as stack:
        stack.enter_context(notes().status("Verifying …"))
        local = local_paths([*paths, *([manifest] if manifest else [])], stack)
        files = find_files([local[path] for path in paths])
        return verify_provenance(files, trust, expected=expected, manifest=local[manifest] if manifest else None)


def _trusted(file: Path | None, project: str | None) -> Sourced:
    today = datetime.now(UTC).date()
    if project is not None and file is None:
        return project_identities(project, today)
    if file is None or project is not None:
        raise typer.BadParameter("say who may sign: either --identities FILE, or --project cpython")
    document = load_identities(file)
    if document.expires is not None and document.expires < today:
        # Old releases verify by old lists; only that it is the newest can't be said any more.
        notes().print(f"baton: {file} expired on {document.expires}; used all the same, because you name it")
    return Sourced(document, f"{file}, trusted because you name it")


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
    local = local_paths(paths, stack)
    return find_subjects([local[path] for path in paths], digests, version=version)


def _key(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Missing(f"can't read the OpenPGP key {path}: {error.strerror}") from error


def _show(report: Report, trusted: Sourced, *, as_json: bool) -> None:
    if not as_json:
        from baton.cli.verify_page import print_report  # noqa: PLC0415  # Rich's tables, not needed for --help

        print_report(report, trusted)
        return
    document = trusted.document
    fields = report.model_dump(mode="json", by_alias=True)
    for file, result in zip(fields["files"], report.files, strict=True):
        file.update(ok=bool(result), missing=list(result.missing), failures=list(result.failures))
        for signature, judged in zip(file["signatures"], result.signatures, strict=True):
            signature["ok"] = bool(judged)
    identities = {
        "source": trusted.source,
        "digest": document.digest,
        "serial": document.serial,
        "issued": document.issued.isoformat(),
    }
    print_json("verification", {"ok": bool(report), "project": document.project, "identities": identities, **fields})
