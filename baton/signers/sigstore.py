"""Sigstore signatures by one identity: one certificate for a whole batch, many files at once.

Files are signed by their digests, which are known; the files themselves are not read. What is stated about a file is
signed in a DSSE envelope, and the statement with it.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sigstore.dsse import Statement
from sigstore.hashes import Hashed
from sigstore.sign import Signer
from sigstore_models.common.v1 import HashAlgorithm

from baton.model.errors import BatonError, Failed, Refused
from baton.signers.port import sign_in_threads
from baton.signers.sigstore_client import SigningServices, service_problem
from baton.signers.tokens import TokenIdentity, TokenSource, token_source
from baton.trust.identities import TrustedSigstoreIdentity, Who
from baton.trust.instances import trust_configuration
from baton.trust.sigstore import SigstoreTrust

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sigstore.models import Bundle, ClientTrustConfig

    from baton.model.manifest import Artifact
    from baton.model.roster import SigstoreIdentity
    from baton.model.signing import SigstoreSigner
    from baton.settings import WorkerSettings
    from baton.signers.port import File, Keep

_THREADS = 128
"""At most; each spends its time waiting for the timestamp authority and the log, which answers after a while."""

_MARGIN = timedelta(seconds=60)
"""A certificate with less left is exchanged: a log may take this long, and the timestamp must lie within."""


class SigstoreBatchSigner:
    """Signs with the identity that a token source gives, at one Sigstore instance.

    Args:
        identity: the only one that is signed with.
        config: of the instance.
        tokens: gives the identity tokens.
    """

    def __init__(self, identity: TrustedSigstoreIdentity, config: ClientTrustConfig, tokens: TokenSource) -> None:
        self._identity = identity
        self._config = config
        self._tokens = tokens

    @classmethod
    def from_settings(cls, signer: SigstoreSigner, settings: WorkerSettings) -> SigstoreBatchSigner:
        """The signer of a worker that has been given a token source.

        Raises:
            Missing: the sandbox's trust configuration, or part of the token endpoint's settings, is not there.
            Invalid: the trust configuration, or the token endpoint's address, is none.
            Refused: the trust configuration is another instance's than the plan's.
            Unavailable: the trust root could not be refreshed.
        """
        tokens = token_source(settings)
        identity = TrustedSigstoreIdentity(**signer.identity.model_dump(), who=Who.MACHINE)
        return cls(identity, trust_configuration(signer.instance, settings.sigstore_trust_config), tokens)

    def sign(self, files: Sequence[File], keep: Keep) -> None:
        """Sign each file; see :meth:`baton.signers.port.BatchSigner.sign`. The signatures are bundles in JSON."""
        services = SigningServices.of(self._config)
        certificate = _Certificate(services, self._tokens, self._identity)
        trust = SigstoreTrust(self._config)

        def sign_one(artifact: Artifact, path: Path) -> bytes:  # noqa: ARG001  # what the digest names is enough
            services.prepare_thread()
            hashed = Hashed(algorithm=HashAlgorithm.SHA2_256, digest=bytes.fromhex(artifact.sha256))
            content = _bundle(certificate, lambda signer: signer.sign_artifact(hashed))
            self._verify(trust, content, artifact)
            return content

        sign_in_threads(files, sign_one, keep, threads=_THREADS)

    def attest(self, statements: Sequence[tuple[Artifact, bytes]], keep: Keep) -> None:
        """Sign a statement about each file, and hand each bundle to ``keep``, verified, as it is made.

        It goes on and stops, and raises, as :meth:`baton.signers.port.BatchSigner.sign` says of signatures.

        Args:
            statements: in-toto Statements in JSON, each with the file that it is about.
            keep: told of each bundle with the file.
        """
        services = SigningServices.of(self._config)
        certificate = _Certificate(services, self._tokens, self._identity)
        trust = SigstoreTrust(self._config)

        def sign_one(artifact: Artifact, statement: bytes) -> bytes:
            services.prepare_thread()
            payload = Statement(statement)
            content = _bundle(certificate, lambda signer: signer.sign_dsse(payload))
            result, signed = trust.verify_statement(content, [self._identity], source=artifact.name)
            if not result or signed != statement:
                raise Failed(f"Sigstore gave a statement about {artifact.name} that does not count: {result.reason}")
            return content

        sign_in_threads(statements, sign_one, keep, threads=_THREADS)

    def _verify(self, trust: SigstoreTrust, bundle: bytes, artifact: Artifact) -> None:
        result = trust.verify(bundle, artifact.digest, [self._identity], source=artifact.name)
        if not result:
            raise Failed(f"Sigstore gave a bundle for {artifact.name} that does not count: {result.reason}")


class _Certificate:
    """The signing certificate and its key, shared by all threads and exchanged for a new one in time."""

    def __init__(self, services: SigningServices, tokens: TokenSource, identity: SigstoreIdentity) -> None:
        self._services = services
        self._tokens = tokens
        self._identity = identity
        self._lock = threading.Lock()
        self._signer: Signer | None = None
        # The library tells of the certificate only in a bundle; until the first, it was issued a moment ago.
        self._expires: datetime | None = None
        self._problem: BatonError | None = None

    def signer(self) -> Signer:
        """A signer whose certificate is valid for a while yet."""
        with self._lock:
            if self._problem is not None:
                # Other threads have waited for it, and each waiting once more would take minutes.
                raise self._problem
            if self._signer is None or (self._expires and datetime.now(UTC) > self._expires - _MARGIN):
                self._signer, self._expires = self._certified(), None
            return self._signer

    def seen_in(self, bundle: Bundle, signer: Signer) -> None:
        """Learn when the certificate expires."""
        with self._lock:
            if signer is self._signer:
                self._expires = bundle.signing_certificate.not_valid_after_utc

    def _certified(self) -> Signer:
        try:
            token = TokenIdentity.of(self._tokens())
            self._require_identity(token)
            return Signer(token.token, self._services.context)
        except BatonError as problem:
            self._problem = problem
            raise
        except Exception as error:  # the library's errors have no common base
            self._problem = service_problem(error)
            raise self._problem from error

    def _require_identity(self, token: TokenIdentity) -> None:
        expected = self._identity
        if (token.identity, token.issuer) != (expected.identity, expected.issuer):
            raise Refused(
                f"the identity token is of {token.identity} (issuer {token.issuer}); who is to sign is "
                f"{expected.identity} (issuer {expected.issuer}): get a token of that identity, or plan with the "
                "other. Nothing was signed"
            )


def _bundle(certificate: _Certificate, sign: Callable[[Signer], Bundle]) -> bytes:
    """What signing with the certificate gives, as a bundle in JSON."""
    signer = certificate.signer()
    try:
        bundle = sign(signer)
    except BatonError:
        raise
    except Exception as error:  # the library's errors have no common base
        raise service_problem(error) from error
    certificate.seen_in(bundle, signer)
    return bundle.to_json().encode()
