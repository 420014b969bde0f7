"""How one text of a trusted-identities document takes the place of another: signed by whom the trusted one names.

The first text is trusted because it came with Baton, or because somebody named its file. From then on a newer one
counts when one of the trusted one's ``document_signers`` signed its very bytes, its serial number is higher, and it has
not expired. So an old text can't come back, and who controls the web server alone can change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from baton.model.errors import Conflict, Invalid, Refused
from baton.trust.documents import load_identities, require_unexpired
from baton.trust.subjects import SUFFIXES
from baton.trust.verification import verify_by

if TYPE_CHECKING:
    from datetime import date

    from baton.trust.identities import TrustedIdentities
    from baton.trust.result import FileResult
    from baton.trust.verifiers import Trust

MakeSignature = Callable[[Path], bytes]
"""Signs a file as it lies there: an ASCII-armoured detached OpenPGP signature, or a Sigstore bundle in JSON."""


def require_signed(file: Path, trust: Trust) -> FileResult:
    """Verify that a document was signed by whom the trusted document says.

    Args:
        file: a document, with its signatures beside it.
        trust: the document that is trusted already, and what to check with.

    Returns:
        Whose signatures count.

    Raises:
        Refused: none counts, one fails, or the trusted document names nobody.
        Missing, Invalid, Unavailable: as :func:`baton.trust.verification.verify`.
    """
    trusted = trust.identities
    if not trusted.document_signers:
        raise Refused(
            f"the trusted identities of {trusted.project} number {trusted.serial} name nobody who may sign newer ones "
            "(document_signers): take those that come with a newer Baton, or name a file with --identities FILE"
        )
    result = verify_by(file, trusted.document_signers, trust)
    if not result:
        raise Refused(f"{file.name} is not signed as it has to be: {'; '.join(result.failures)}")
    return result


def require_successor(document: TrustedIdentities, trusted: TrustedIdentities, today: date) -> None:
    """Refuse a document that may not take the place of the trusted one, whoever signed it.

    Raises:
        Refused: it is another project's, of another Sigstore instance, older, has expired, or never does.
        Conflict: it has the same serial number, and other content.
    """
    if (document.project, document.sigstore) != (trusted.project, trusted.sigstore):
        raise Refused(
            f"the document is of {document.project} with Sigstore's {document.sigstore} instance; "
            f"expected {trusted.project} with the {trusted.sigstore} instance"
        )
    if document.serial < trusted.serial:
        raise Refused(
            f"the document is number {document.serial} of {document.issued}; number {trusted.serial} of "
            f"{trusted.issued} is trusted already, and an older one can't take its place"
        )
    if document.serial == trusted.serial and document.digest != trusted.digest:
        raise Conflict(
            f"two documents are number {document.serial}: {document.digest}, and {trusted.digest}, which is trusted; "
            "a new text needs a higher number"
        )
    if document.expires is None and document.serial != trusted.serial:
        raise Refused("the document does not say when it expires, so that a newer one could be held back for ever")
    require_unexpired(document, today)


def adopt(file: Path, trust: Trust, today: date) -> TrustedIdentities:
    """Read a newer document, and vouch for it.

    Args:
        file: the document, with its signatures beside it.
        trust: the document that is trusted already, and what to check with.
        today: in UTC.

    Raises:
        Refused, Conflict: as :func:`require_signed` and :func:`require_successor`.
        Invalid: it is no such document.
        Missing, Unavailable: as :func:`baton.trust.verification.verify`.
    """
    require_signed(file, trust)
    document = load_identities(file)
    require_successor(document, trust.identities, today)
    return document


def issue(file: Path, trust: Trust, signers: Mapping[str, MakeSignature], today: date) -> TrustedIdentities:
    """Sign a new document, for publication at its address together with its signatures.

    What was signed is verified before it is left there: nobody can adopt it otherwise.

    Args:
        file: the new document. It may not be altered afterwards, not even in layout.
        trust: the document that those who will fetch this one trust now; for the very first, that is itself.
        signers: what makes each signature, by the suffix of its file: ``.sigstore.json``, ``.sigstore``, ``.asc``.
        today: in UTC.

    Raises:
        Refused: the document can't take the trusted one's place, or was signed by somebody who may not sign it. The
            signatures are removed again then.
        Conflict: as :func:`require_successor`.
        Invalid: it is no such document, or a suffix is none of those.
        BatonError: it could not be signed.
    """
    document = load_identities(file)
    require_successor(document, trust.identities, today)
    if unknown := sorted(set(signers) - set(SUFFIXES)):
        raise Invalid(f"no signature ends with {', '.join(unknown)}; expected {', '.join(SUFFIXES)}")
    made = {file.with_name(file.name + suffix): make for suffix, make in signers.items()}
    try:
        for signature, make in made.items():
            signature.write_bytes(make(file))
        require_signed(file, trust)
    except BaseException:
        for signature in made:
            signature.unlink(missing_ok=True)
        raise
    return document
