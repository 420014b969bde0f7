"""One instance for a whole module, and the real client at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sigstore.models import Bundle, ClientTrustConfig
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext
from sigstore.verify import Verifier

from baton.sandbox.sigstore.server import LocalSigstore, local_sigstore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSigstore]:
    with local_sigstore(tmp_path_factory.mktemp("sigstore")) as running:
        yield running


@pytest.fixture(scope="session")
def config_of() -> Callable[[Path, int], ClientTrustConfig]:
    """Reads a trust configuration; the number is the version of the log to sign with."""

    def read(file: Path, log_version: int) -> ClientTrustConfig:
        config = ClientTrustConfig.from_json(file.read_text())
        config.force_tlog_version = log_version
        return config

    return read


@pytest.fixture(scope="session")
def sign(config_of: Callable[[Path, int], ClientTrustConfig]) -> Callable[..., Bundle]:
    """Signs with the real client, and gives the bundle as a reader of its file would have it."""

    def sign_with(trust_config: Path, token: str, data: bytes, log_version: int = 2) -> Bundle:
        context = SigningContext.from_trust_config(config_of(trust_config, log_version))
        with context.signer(IdentityToken(token)) as signer:
            return Bundle.from_json(signer.sign_artifact(data).to_json())

    return sign_with


@pytest.fixture(scope="session")
def verifier_of(config_of: Callable[[Path, int], ClientTrustConfig]) -> Callable[[Path], Verifier]:
    return lambda trust_config: Verifier(trusted_root=config_of(trust_config, 2).trusted_root)


@pytest.fixture(scope="module")
def verifier(instance: LocalSigstore, verifier_of: Callable[[Path], Verifier]) -> Verifier:
    return verifier_of(instance.trust_config)
