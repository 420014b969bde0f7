"""What an Authenticode signature has to be, whichever tool made it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from baton.model.errors import Invalid, Refused
from baton.platform.pe import read_portable
from baton.platform.programs import run

if TYPE_CHECKING:
    from baton.model.code_signing import CodeSigner

_ONE = "Number of verified signatures: 1"
_SIGNED = "Signature verification: ok"
_TIMESTAMPED = "Timestamp Server Signature verification: ok"


def require_unsigned(path: Path) -> None:
    """Refuse to sign what carries a signature already: nobody asked for a second one.

    Raises:
        Refused: it does.
        Invalid: it is no Portable Executable.
    """
    if read_portable(path).signed:
        raise Refused(f"{path.name} carries an Authenticode signature already; expected a file without one")


def require_content(unsigned: Path, signed: Path) -> None:
    """Require that signing has changed nothing but the signature.

    Raises:
        Refused: the digests that Authenticode signs differ, or there is no signature.
        Invalid: one of them is no Portable Executable.
    """
    before, after = read_portable(unsigned), read_portable(signed)
    if not after.signed:
        raise Refused(f"{signed.name} carries no Authenticode signature")
    if before.digest != after.digest:
        raise Refused(
            f"{signed.name} is not what was built: its Authenticode digest is {after.digest}; expected {before.digest}"
        )


def signing_certificate(path: Path, signer: CodeSigner) -> str:
    """The thumbprint (SHA-256) of the certificate in the file that is the expected signer's.

    That the signature was made with it is for :func:`verify` to find out.

    Raises:
        Refused: there is no such certificate, or more than one.
    """
    embedded = read_portable(path).embedded()
    subjects = {cert.fingerprint(hashes.SHA256()).hex(): cert.subject.rfc4514_string() for cert in embedded}
    fitting = [
        thumbprint
        for thumbprint, subject in subjects.items()
        if subject == signer.subject and signer.thumbprint in (None, thumbprint)
    ]
    if len(fitting) != 1:
        wanted = f"{signer.subject!r}" + (f" with the thumbprint {signer.thumbprint}" if signer.thumbprint else "")
        came = "; ".join(f"{subject!r} ({thumbprint})" for thumbprint, subject in sorted(subjects.items())) or "none"
        raise Refused(f"{path.name} has to be signed by {wanted}, once; its certificates are: {came}"[:1900])
    return fitting[0]


def verify(unsigned: Path, signed: Path, signer: CodeSigner) -> None:
    """Verify a signature as a stranger would, with ``osslsigncode``: no key is needed, and no Windows.

    Shown are: one signature; by the expected subject, with a chain to the expected roots; with a timestamp whose chain
    leads to the expected authorities; over the content that was built. Revocation is not asked for: the lists are on
    the network, and a verdict must not depend on who can reach them.

    Raises:
        Refused: any of this is not so.
        Invalid: a file is no Portable Executable, or its signature can't be read.
        Missing: ``osslsigncode`` is not installed.
    """
    require_content(unsigned, signed)
    thumbprint = signing_certificate(signed, signer)
    with TemporaryDirectory(prefix="roots-") as folder:
        roots = _certificates(Path(folder) / "roots.pem", signer.roots)
        timestamp_roots = _certificates(Path(folder) / "timestamp-roots.pem", signer.timestamp_roots)
        trusted = ("-CAfile", roots, "-TSA-CAfile", timestamp_roots)
        leaf = ("-require-leaf-hash", f"sha256:{thumbprint}")
        outcome = run(["osslsigncode", "verify", *trusted, *leaf, *_without_lists(), "-in", signed])
    # It ends with 0 where the timestamp can't be trusted, and takes a certificate's validity now in its place: the
    # words alone tell.
    missing = [line for line in (_ONE, _SIGNED, _TIMESTAMPED) if line not in outcome.lines]
    if outcome.code or missing:
        lacking = f", without saying {' and '.join(map(repr, missing))}" if missing else ""
        raise Refused(f"the signature of {signed.name} does not count{lacking}; {outcome.complaint}")


def _without_lists() -> tuple[str, ...]:
    """The option that leaves revocation lists alone; versions that fetch none do not know it."""
    usage = run(["osslsigncode", "--help"])
    return ("-ignore-cdp",) if any("-ignore-cdp" in line for line in usage.lines) else ()


def _certificates(path: Path, pem: str) -> Path:
    try:
        x509.load_pem_x509_certificates(pem.encode())
    except ValueError as error:
        raise Invalid(f"the plan's certificates to verify by can't be read: {error}") from error
    path.write_text(pem, encoding="ascii")
    return path
