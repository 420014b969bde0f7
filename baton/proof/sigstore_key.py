"""Signing as a Sigstore identity: a token says who it is, and a certificate for ten minutes signs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sigstore.dsse import Statement
from sigstore.errors import Error as SigstoreError
from sigstore.sign import Signer

from baton.model.errors import BatonError, Failed, Invalid, Refused
from baton.signers.personal import sign_in
from baton.signers.sigstore_client import SigningServices, service_problem
from baton.signers.tokens import TokenIdentity

if TYPE_CHECKING:
    from sigstore.models import ClientTrustConfig

    from baton.model.roster import SigstoreIdentity
    from baton.proof.instance import Sigstore
    from baton.signers.tokens import TokenSource


@dataclass(frozen=True)
class SigstoreSigningKey:
    """The identities that somebody may sign as; which one it is, the token says.

    Attributes:
        credentials: the roster's entries; at least one.
        sigstore: the instance that certifies them.
        signed_in: a sign-in that is made already; None for one of its own.
    """

    credentials: tuple[SigstoreIdentity, ...]
    sigstore: Sigstore
    signed_in: TokenSource | None = None

    @property
    def name(self) -> str:
        """The identities in words."""
        names = (f"{credential.identity} (issuer {credential.issuer})" for credential in self.credentials)
        return f"Sigstore identity {' or '.join(names)}"

    @property
    def asks(self) -> str:
        """What the person may have to do while it signs."""
        return f"sign in as {' or '.join(credential.identity for credential in self.credentials)} in the browser"

    def sign(self, statement: bytes) -> str:
        """A bundle, as JSON, with the statement in a DSSE envelope; verified.

        It is also entered into the instance's public log.

        Args:
            statement: an in-toto Statement in JSON.

        Raises:
            Invalid: it is none.
            Missing: no token is to be had.
            Refused: the token is somebody else's, or Sigstore does not certify it.
            Unavailable: Sigstore does not answer; or as for :attr:`baton.proof.instance.Sigstore.config`.
            Failed: what Sigstore made does not count.
        """
        token = TokenIdentity.of((self.signed_in or sign_in(self.sigstore.config))())
        if (token.identity, token.issuer) not in {(key.identity, key.issuer) for key in self.credentials}:
            raise Refused(
                f"you are signed in as {token.identity} (issuer {token.issuer}); expected the {self.name}, which the "
                "roster lists. Nothing was signed"
            )
        bundle = _signed(self.sigstore.config, token, statement)
        said = self.sigstore.trust.open_statement(bundle.encode())
        if said.payload != statement or (said.by.identity, said.by.issuer) != (token.identity, token.issuer):
            raise Failed(f"Sigstore gave a bundle that is not what {self.name} was to sign")
        return bundle


def _signed(config: ClientTrustConfig, token: TokenIdentity, statement: bytes) -> str:
    try:
        payload = Statement(statement)
    except SigstoreError as error:
        raise Invalid(f"not an in-toto Statement: {error}") from error
    services = SigningServices.of(config)
    services.prepare_thread()
    try:
        return Signer(token.token, services.context).sign_dsse(payload).to_json()
    except BatonError:
        raise
    except Exception as error:  # the library's errors have no common base
        raise service_problem(error) from error
