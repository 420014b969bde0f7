"""Sigstore bundles: verified by the sigstore library, against a list of identities, saying which of them it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.x509 import Certificate  # noqa: TC002  # part of the public protocol that this implements
from sigstore.errors import VerificationError
from sigstore.hashes import Hashed
from sigstore.models import Bundle, InvalidBundle
from sigstore.verify import Verifier
from sigstore_models.common.v1 import HashAlgorithm

from baton.model.errors import Refused
from baton.model.statement import PAYLOAD_TYPE
from baton.trust.certificate import CertifiedIdentity
from baton.trust.identities import TrustedIdentity, TrustedKey
from baton.trust.result import Fault, SignatureKind, SignatureResult

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sigstore._internal.timestamp import TimestampVerificationResult
    from sigstore.models import ClientTrustConfig, TrustedRoot

    from baton.model.base import Digest

LARGEST_BUNDLE = 1024**2
"""Bytes; real ones have about 5 KB."""

_CHAINS = 256
"""How many certificates' chains are remembered."""


@dataclass(frozen=True)
class SignedStatement:
    """What somebody signed in a DSSE envelope, verified.

    Attributes:
        by: whom the certificate names.
        payload_type: what the payload is said to be; part of what is signed.
    """

    by: CertifiedIdentity
    payload_type: str
    payload: bytes


class SigstoreTrust:
    """One instance's trust root, loaded once; it may be used from several threads at once."""

    def __init__(self, config: ClientTrustConfig) -> None:
        self._verifier = _BatchVerifier(trusted_root=config.trusted_root)

    def verify(
        self, bundle: bytes, digest: Digest, trusted: Sequence[TrustedIdentity], *, source: str
    ) -> SignatureResult:
        """Who made a bundle, and whether it counts for the content with this digest. Nothing is fetched.

        Args:
            bundle: the bundle's JSON, of any version that the sigstore library knows.
            digest: of what is signed; the file itself is not needed.
            trusted: whose signatures count; OpenPGP keys are passed over.
            source: the bundle's file name, for the result.
        """
        policy = _AnyTrusted([entry for entry in trusted if not isinstance(entry, TrustedKey)])
        fault, reason = _problem(
            bundle, policy, lambda read: self._verifier.verify_artifact(_hashed(digest), read, policy)
        )
        return policy.result(source, fault, reason)

    def verify_statement(
        self, bundle: bytes, trusted: Sequence[TrustedIdentity], *, source: str
    ) -> tuple[SignatureResult, bytes | None]:
        """Who made a bundle with a DSSE envelope, whether it counts, and the in-toto Statement in it if it does.

        Nothing is fetched. What the statement is about, and what it says, is for the caller to judge.

        Args:
            bundle: the bundle's JSON.
            trusted: whose signatures count; OpenPGP keys are passed over.
            source: the bundle's file name, for the result.
        """
        policy = _AnyTrusted([entry for entry in trusted if not isinstance(entry, TrustedKey)])
        opened: list[bytes] = []

        def verify(read: Bundle) -> None:
            payload_type, payload = self._verifier.verify_dsse(read, policy)
            if payload_type != PAYLOAD_TYPE:
                raise VerificationError(f"it is a signed {payload_type}; expected {PAYLOAD_TYPE}")
            opened.append(payload)

        fault, reason = _problem(bundle, policy, verify)
        return policy.result(source, fault, reason), opened[0] if opened and fault is None else None

    def open_statement(self, bundle: bytes) -> SignedStatement:
        """What a bundle with a DSSE envelope says, and who signed that. Nothing is fetched.

        Anyone may have: the caller has to compare who it is, and the payload's type, with what it expects.

        Args:
            bundle: the bundle's JSON.

        Raises:
            Refused: it is no such bundle, or one of its proofs does not hold.
        """
        policy = _Anyone()
        if len(bundle) > LARGEST_BUNDLE:
            raise Refused(f"the Sigstore bundle has {len(bundle)} bytes; accepted: up to {LARGEST_BUNDLE}")
        try:
            payload_type, payload = self._verifier.verify_dsse(Bundle.from_json(bundle), policy)
        except InvalidBundle as error:
            raise Refused(f"it is not a Sigstore bundle: {_first_line(error)}") from error
        except VerificationError as error:
            raise Refused(f"the Sigstore bundle does not verify: {_first_line(error)}") from error
        except Exception as error:  # a hostile bundle reaches deep into parsers, which raise what they like
            raise Refused(
                f"the Sigstore bundle can't be verified: {type(error).__name__}: {_first_line(error)}"
            ) from error
        if policy.certified is None:
            raise Refused("the Sigstore bundle does not say whose it is")
        return SignedStatement(policy.certified, payload_type, payload)


def _problem(bundle: bytes, policy: _AnyTrusted, verify: Callable[[Bundle], None]) -> tuple[Fault | None, str]:
    """Why the bundle does not count, or None and why it does."""
    if len(bundle) > LARGEST_BUNDLE:
        return Fault.MALFORMED, f"it has {len(bundle)} bytes; a bundle has at most {LARGEST_BUNDLE}"
    try:
        verify(Bundle.from_json(bundle))
    except InvalidBundle as error:
        return Fault.MALFORMED, f"it is not a Sigstore bundle: {_first_line(error)}"
    except VerificationError as error:
        return policy.fault or Fault.BAD, _first_line(error)
    except Exception as error:  # noqa: BLE001  # a hostile bundle reaches deep into parsers, which raise what they like
        return Fault.BAD, f"it can't be verified: {type(error).__name__}: {_first_line(error)}"
    return None, f"{policy.matched} counts"


class _BatchVerifier(Verifier):
    """The library's verifier, which looks only once for the chain that a certificate has at a time.

    The certificate, the time and the trust root, which is always the same, decide alone what is found; timestamps have
    whole seconds, and one certificate signs a batch of files. What is refused is looked at again each time.
    """

    def __init__(self, *, trusted_root: TrustedRoot) -> None:
        super().__init__(trusted_root=trusted_root)
        self._chains: dict[tuple[Certificate, datetime], list[Certificate]] = {}

    def _verify_chain_at_time(
        self, certificate: Certificate, timestamp_result: TimestampVerificationResult
    ) -> list[Certificate]:
        key = (certificate, timestamp_result.time)
        chain = self._chains.get(key)
        if chain is None:
            chain = super()._verify_chain_at_time(certificate, timestamp_result)
            if len(self._chains) >= _CHAINS:
                self._chains.clear()
            self._chains[key] = chain
        return chain


class _Anyone:
    """A verification policy of the sigstore library: remembers who it was, for the caller to judge."""

    def __init__(self) -> None:
        self.certified: CertifiedIdentity | None = None

    def verify(self, cert: Certificate) -> None:
        """Raises VerificationError if the certificate names nobody."""
        self.certified = CertifiedIdentity.of(cert)


class _AnyTrusted:
    """A verification policy of the sigstore library: passes for any of the entries, and remembers which.

    One is made for each verification.
    """

    def __init__(self, trusted: Sequence[TrustedIdentity]) -> None:
        self._trusted = trusted
        self.certified: CertifiedIdentity | None = None
        self.matched: TrustedIdentity | None = None
        self.fault: Fault | None = None

    def result(self, source: str, fault: Fault | None, reason: str) -> SignatureResult:
        """The facts of the verification, once it is over."""
        certified = self.certified
        return SignatureResult(
            kind=SignatureKind.SIGSTORE,
            source=source,
            identity=certified.identity if certified else None,
            issuer=certified.issuer if certified else None,
            signed_at=certified.at if certified else None,
            matched=None if fault else self.matched,
            fault=fault,
            reason=reason,
            expected=tuple(map(str, self._trusted)),
        )

    def verify(self, cert: Certificate) -> None:
        """Raises VerificationError unless an entry names the certificate's identity and covers its day."""
        certified = self.certified = CertifiedIdentity.of(cert)
        named = [entry for entry in self._trusted if certified.is_named_by(entry)]
        if not named:
            self.fault = Fault.UNTRUSTED
            listed = ", ".join(map(str, self._trusted)) or "nobody"
            raise VerificationError(
                f"it is by {certified.identity} (issuer {certified.issuer}), who does not count here; "
                f"who does: {listed}"
            )
        day = certified.at.date()
        self.matched = next((entry for entry in named if entry.covers(day)), None)
        if self.matched is None:
            self.fault = Fault.OUTSIDE_WINDOW
            spans = ", ".join(entry.span for entry in named)
            raise VerificationError(f"it is of {day}; {certified.identity} counts {spans}")


def _hashed(digest: Digest) -> Hashed:
    return Hashed(algorithm=HashAlgorithm.SHA2_256, digest=bytes.fromhex(digest.removeprefix("sha256:")))


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).split("\n")[0][:500]
