"""Signing as a Sigstore identity: a token says who it is, and a certificate for ten minutes signs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sigstore.dsse import Statement
from sigstore.errors import Error as SigstoreError
from sigstore.sign import Signer

from baton.model.errors import BatonError, Failed, Invalid, Missing, Refused
from baton.settings import WorkerSettings
from baton.signers.personal import browser_sign_in
from baton.signers.sigstore_client import SigningServices, service_problem
from baton.signers.tokens import TokenIdentity, token_source

if TYPE_CHECKING:
    from pydantic import SecretStr
    from sigstore.models import ClientTrustConfig

    from baton.model.roster import SigstoreIdentity
    from baton.proof.instance import Sigstore


@dataclass(frozen=True)
class SigstoreSigningKey:
    """The identities that somebody may sign as; which one it is, the token says.

    Attributes:
        credentials: the roster's entries; at least one.
        sigstore: the instance that certifies them.
    """

    credentials: tuple[SigstoreIdentity, ...]
    sigstore: Sigstore

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
        token = TokenIdentity.of(_token(self.sigstore.config))
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


def _token(config: ClientTrustConfig) -> SecretStr:
    """The token that this machine is configured for, or that its platform offers, or that signing in gives."""
    settings = WorkerSettings()
    configured = (settings.identity_token_file, settings.identity_token_command, settings.identity_token_url)
    try:
        return token_source(settings)()
    except Missing:
        if any(setting is not None for setting in configured):
            raise
    try:
        return browser_sign_in(config)()
    except EOFError:
        raise Missing(
            "there is no browser here to sign in with and nobody to type a code: set BATON_IDENTITY_TOKEN_FILE, or "
            "sign with another key"
        ) from None
