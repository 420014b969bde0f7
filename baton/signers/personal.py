"""Signing as a person, on the person's own machine: only signatures leave it.

With Sigstore, digests are all that has to come: one sign-in in a browser gives one certificate, which signs every
digest.

OpenPGP can't do that. What it hashes is the file followed by a trailer of the signature's own (RFC 9580, section
5.2.4), so that a file's digest does not help. The files have to be at hand, in a folder that the person names or has
fetched them to; each is compared with its digest, signed by the person's own gpg, and only the signatures go back.

Either way each signature is verified, as a stranger would, before anyone gets it.
"""

from __future__ import annotations

import subprocess
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr
from sigstore.errors import Error as SigstoreError
from sigstore.errors import NetworkError
from sigstore.oidc import Issuer, IssuerError

from baton.model.errors import Missing, Refused, Unavailable
from baton.settings import WorkerSettings
from baton.signers.gpg import GpgBatchSigner
from baton.signers.sigstore import SigstoreBatchSigner
from baton.signers.tokens import AUDIENCE, TokenIdentity, token_source
from baton.trust.identities import TrustedSigstoreIdentity, Who

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sigstore.models import ClientTrustConfig

    from baton.model.manifest import Artifact
    from baton.model.roster import OpenPgpKey, SigstoreIdentity
    from baton.signers.port import BatchSigner, File, Keep
    from baton.signers.tokens import TokenSource

Signatures = dict["Artifact", bytes]
"""A verified signature for each artifact."""


def sign_with_sigstore(
    artifacts: Sequence[Artifact],
    identity: SigstoreIdentity,
    config: ClientTrustConfig,
    sign_in: TokenSource,
    keep: Keep | None = None,
) -> Signatures:
    """Make a Sigstore bundle, in JSON, for each artifact; the files themselves are not needed.

    Args:
        artifacts: what to sign, by digest.
        identity: as whom; a sign-in as anybody else is refused before anything is signed.
        config: of the Sigstore instance.
        sign_in: lets the person sign in, see :func:`browser_sign_in`. It is asked once; again only where the ten
            minutes of a certificate are not enough.
        keep: told of each bundle as soon as it is verified, from several threads; what it got need not be made again
            when a later one fails.

    Raises:
        Refused: somebody else signed in, or a service refused.
        Failed: a bundle does not verify.
        Unavailable: a service did not answer; trying again may help.
    """
    trusted = TrustedSigstoreIdentity(**identity.model_dump(), who=Who.HUMAN)
    # A digest is signed: there is no file, and nobody looks for one.
    files = [(artifact, Path(artifact.name)) for artifact in artifacts]
    return _collected(SigstoreBatchSigner(trusted, config, sign_in), files, keep)


def sign_with_openpgp(
    files: Sequence[File],
    key: OpenPgpKey,
    home: Path,
    passphrase: SecretStr | None = None,
    keep: Keep | None = None,
) -> Signatures:
    """Make a detached OpenPGP signature, in ASCII armour, of each file.

    Args:
        files: what to sign, and where it lies; see :func:`files_in`.
        key: the person's, with its public key block.
        home: the person's GnuPG home, see :func:`own_gpg_home`.
        passphrase: without one, the agent asks for it, once.
        keep: told of each signature as soon as it is verified, from several threads.

    Raises:
        Conflict: a file does not have its artifact's digest.
        Missing: the home has no secret key of this primary key that can sign.
        Refused: the key has expired or been revoked, or the passphrase is wrong.
        Invalid: the key has no public key block.
        Failed: gpg made no signature, or one that does not verify.
    """
    return _collected(GpgBatchSigner(key, home, passphrase, attended=True), files, keep)


def files_in(folder: Path, artifacts: Iterable[Artifact]) -> list[File]:
    """Where each artifact's file lies in a folder; whether it has the digest is seen when it is signed.

    Raises:
        Missing: some are not there; all are named.
    """
    files = [(artifact, folder / artifact.name) for artifact in artifacts]
    if missing := [artifact.name for artifact, path in files if not path.is_file()]:
        raise Missing(f"{folder} lacks {', '.join(missing)}: fetch what is to be signed there")
    return files


def own_gpg_home() -> Path:
    """The GnuPG home of whoever runs this: what ``GNUPGHOME`` says, or gpg's usual one.

    Raises:
        Missing: GnuPG is not installed.
    """
    try:
        said = subprocess.run(["gpgconf", "--list-dirs", "homedir"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise Missing(f"gpgconf does not run here ({error}): install GnuPG 2.2 or later") from error
    return Path(said.strip())


def browser_sign_in(config: ClientTrustConfig, *, by_hand: bool = False) -> TokenSource:
    """A sign-in at a Sigstore instance in a browser; it is opened each time that a token is asked for.

    Args:
        config: of the instance.
        by_hand: open no browser; print the address, and ask for the code that the page shows.
    """

    def sign_in() -> SecretStr:
        try:
            issuer = Issuer(config.signing_config.get_oidc_url())
            return SecretStr(str(issuer.identity_token(client_id=AUDIENCE, force_oob=by_hand)))
        except NetworkError as error:
            raise Unavailable(f"Sigstore's sign-in does not answer: {error.__cause__}") from error
        except (SigstoreError, IssuerError) as error:
            raise Refused(f"signing in to Sigstore failed: {str(error) or error.__cause__}") from error

    return sign_in


def sign_in(config: ClientTrustConfig, *, by_hand: bool = False, token_file: Path | None = None) -> TokenSource:
    """The token that this machine is configured for, or that its platform offers, or that a browser sign-in gives.

    It is the same one as long as it is valid, so that a person signs in once for everything that they sign.

    Args:
        config: of the instance.
        by_hand: open no browser; print the address, and ask for the code that the page shows.
        token_file: a file with a token, in place of what the environment says.
    """
    settings = WorkerSettings() if token_file is None else WorkerSettings(identity_token_file=token_file)
    configured = (settings.identity_token_file, settings.identity_token_command, settings.identity_token_url)
    last: list[SecretStr] = []

    def fresh() -> SecretStr:
        try:
            return token_source(settings)()
        except Missing:
            if any(setting is not None for setting in configured):
                raise
        try:
            return browser_sign_in(config, by_hand=by_hand)()
        except EOFError:
            raise Missing(
                "there is no browser here to sign in with and nobody to type a code: set BATON_IDENTITY_TOKEN_FILE, or "
                "sign with another key"
            ) from None

    def remembered() -> SecretStr:
        with suppress(Refused):
            for token in last:
                TokenIdentity.of(token)
                return token
        last[:] = [fresh()]
        return last[0]

    return remembered


def identity_of(sign_in: TokenSource, identities: Sequence[SigstoreIdentity], who_may: str) -> SigstoreIdentity:
    """Which of some identities has signed in.

    Args:
        sign_in: asked for a token.
        identities: those that count.
        who_may: told to whoever is none of them.

    Raises:
        Refused: somebody else has, or it does not count today; nothing was signed.
        BatonError: as the sign-in says.
    """
    token, today = TokenIdentity.of(sign_in()), datetime.now(UTC).date()
    named = [one for one in identities if (one.identity, one.issuer) == (token.identity, token.issuer)]
    if found := next((one for one in named if one.covers(today)), None):
        return found
    spans = f"; that counts {', '.join(one.span for one in named)}" if named else ""
    raise Refused(
        f"you are signed in as {token.identity} (issuer {token.issuer}){spans}. {who_may}. Nothing was signed"
    )


def _collected(signer: BatchSigner, files: Sequence[File], keep: Keep | None) -> Signatures:
    made: Signatures = {}

    def collect(artifact: Artifact, signature: bytes) -> None:
        if keep is not None:
            keep(artifact, signature)
        made[artifact] = signature

    signer.sign(files, collect)
    return made
