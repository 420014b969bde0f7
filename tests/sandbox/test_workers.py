from __future__ import annotations

from pathlib import Path

import pytest

from baton.model.errors import Invalid
from baton.sandbox.state import State
from baton.sandbox.workers import QUEUES, Signing, Workers

COMMON = {"BATON_SANDBOX", "BATON_STORE", "BATON_WORKSPACE", "TEMPORAL_ADDRESS", "TEMPORAL_CONFIG_FILE"}
SIGNING = {
    "BATON_GPG_HOME",
    "BATON_SIGSTORE_TRUST_CONFIG",
    "BATON_IDENTITY_TOKEN_URL",
    "BATON_IDENTITY_CLIENT_ID",
    "BATON_IDENTITY_CLIENT_SECRET_FILE",
}


@pytest.fixture
def workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workers:
    monkeypatch.setenv("TEMPORAL_API_KEY", "the user's own")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the user's own")
    monkeypatch.setenv("BATON_GPG_PASSPHRASE", "the user's own")
    return Workers(
        state=State.at(tmp_path),
        temporal_address="127.0.0.1:7233",
        trust_config=tmp_path / "trust_config.json",
        public_url="http://127.0.0.1:8235",
        signing=Signing(
            gpg_home=tmp_path / "gnupg",
            token_url="http://127.0.0.1:8234/oidc/token",  # noqa: S106  # an address
            client_id="signing-worker",
            client_secret_file=tmp_path / "secret",
        ),
    )


def settings(workers: Workers, queue: str) -> set[str]:
    """The names of Baton's, Temporal's and cloud settings that a worker gets."""
    return {name for name in workers.child(queue).environment if name.startswith(("BATON_", "TEMPORAL_", "AWS_"))}


@pytest.mark.parametrize(
    ("queue", "more"),
    [
        ("release", {"BATON_SIGSTORE_TRUST_CONFIG"}),
        ("build-source", set()),
        ("build-windows", set()),
        ("sign", SIGNING),
        ("publish", {"BATON_PUBLIC_ROOT", "BATON_PUBLIC_URL", "BATON_SIGSTORE_TRUST_CONFIG"}),
        ("notary=sign", SIGNING),
        ("sign=build", set()),
    ],
)
def test_a_worker_gets_what_its_duty_needs_and_nothing_of_the_users(
    workers: Workers, queue: str, more: set[str]
) -> None:
    assert settings(workers, queue) == COMMON | more


def test_every_worker_has_a_workspace_of_its_own(workers: Workers) -> None:
    assert len({workers.child(queue).environment["BATON_WORKSPACE"] for queue in QUEUES}) == len(QUEUES)


def test_the_secret_itself_is_neither_in_the_command_nor_in_the_environment(workers: Workers) -> None:
    Path(workers.signing.client_secret_file).write_text("correct horse")
    sign = workers.child("sign")
    assert "correct horse" not in " ".join((*sign.command, *sign.environment.values()))


def test_a_queue_that_is_called_like_a_server_is_refused(workers: Workers) -> None:
    with pytest.raises(Invalid, match="temporal"):
        workers.child("temporal")
