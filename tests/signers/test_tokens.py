from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from baton.model.errors import Invalid, Missing, Refused, Unavailable
from baton.sandbox.sigstore import ISSUER, machine_identity
from baton.sandbox.sigstore.tokens import github_claims
from baton.settings import WorkerSettings
from baton.signers.tokens import TokenIdentity, certificate_identity, token_source

if TYPE_CHECKING:
    from pathlib import Path

    from baton.sandbox.sigstore.server import LocalSigstore
    from tests.signers.conftest import Answering

_PLATFORMS = ("GITHUB_ACTIONS", "BUILDKITE", "GITLAB_CI", "CIRCLECI", "GOOGLE_SERVICE_ACCOUNT_NAME")


@pytest.fixture(autouse=True)
def _on_no_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _PLATFORMS:
        monkeypatch.delenv(name, raising=False)


def endpoint(sandbox: LocalSigstore, secret: Path) -> WorkerSettings:
    return WorkerSettings(
        identity_token_url=f"{sandbox.url}/oidc/token",
        identity_client_id="signer",
        identity_client_secret_file=secret,
    )


def test_a_file_is_read_again_for_every_token(sandbox: LocalSigstore, tmp_path: Path) -> None:
    file = tmp_path / "token"
    source = token_source(WorkerSettings(identity_token_file=file))
    for machine in ("first", "second"):
        file.write_text(sandbox.tokens.for_machine(machine) + "\n")
        assert TokenIdentity.of(source()).identity == machine_identity(machine)

    file.unlink()
    with pytest.raises(Missing, match="BATON_IDENTITY_TOKEN_FILE"):
        source()


def test_a_client_with_its_secret_gets_a_token_for_sigstore(sandbox: LocalSigstore) -> None:
    source = token_source(endpoint(sandbox, sandbox.machines.register("signer")))
    token = TokenIdentity.of(source())
    assert (token.identity, token.issuer) == (machine_identity("signer"), ISSUER)


def test_a_wrong_secret_is_refused_with_the_endpoints_reason(sandbox: LocalSigstore, tmp_path: Path) -> None:
    wrong = tmp_path / "secret"
    wrong.write_text("not-the-secret-4711")
    with pytest.raises(Refused, match="refuses the client signer with 401: invalid_client: no machine") as refusal:
        token_source(endpoint(sandbox, wrong))()
    assert "4711" not in str(refusal.value)


def test_an_endpoint_needs_a_client_and_a_way_that_keeps_its_secret(tmp_path: Path) -> None:
    address = "sso.example.org/token"
    with pytest.raises(Missing, match="BATON_IDENTITY_CLIENT_ID and BATON_IDENTITY_CLIENT_SECRET_FILE"):
        token_source(WorkerSettings(identity_token_url=f"https://{address}"))
    with pytest.raises(Invalid, match="expected https"):
        token_source(
            WorkerSettings(
                identity_token_url=f"http://{address}",
                identity_client_id="signer",
                identity_client_secret_file=tmp_path / "secret",
            )
        )


@pytest.mark.parametrize(
    ("status", "text", "error"),
    [
        (503, "", Unavailable),
        (429, "", Unavailable),
        (302, "", Refused),
        (400, "not JSON", Refused),
        (200, "not JSON", Invalid),
        (200, '{"id_token": "x"}', Invalid),
        (200, '{"access_token": 1}', Invalid),
        (200, "[]", Invalid),
    ],
)
def test_what_an_endpoint_should_not_answer(
    answering: Answering, tmp_path: Path, status: int, text: str, error: type[Exception]
) -> None:
    (tmp_path / "secret").write_text("s")
    with answering(status, text) as url:
        settings = WorkerSettings(
            identity_token_url=url, identity_client_id="signer", identity_client_secret_file=tmp_path / "secret"
        )
        with pytest.raises(error, match="the token endpoint"):
            token_source(settings)()


def test_an_endpoint_that_is_gone_is_unavailable(answering: Answering, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s")
    with answering(200) as url:
        pass
    settings = WorkerSettings(
        identity_token_url=url, identity_client_id="signer", identity_client_secret_file=tmp_path / "secret"
    )
    with pytest.raises(Unavailable, match="does not answer"):
        token_source(settings)()


def test_a_platform_that_gives_tokens_needs_no_setting(sandbox: LocalSigstore, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = sandbox.tokens.github_environment(sandbox.url, github_claims("example/hello"))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    token = TokenIdentity.of(token_source(WorkerSettings())())
    assert token.identity == "https://github.com/example/hello/.github/workflows/release.yml@refs/heads/main"
    assert token.issuer == "https://token.actions.githubusercontent.com"


def test_a_gitlab_job_has_its_token_in_a_variable(sandbox: LocalSigstore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITLAB_CI", "true")
    monkeypatch.setenv("SIGSTORE_ID_TOKEN", sandbox.tokens.for_machine("gitlab"))
    assert TokenIdentity.of(token_source(WorkerSettings())()).identity == machine_identity("gitlab")


@pytest.mark.parametrize(
    ("platform", "program", "asks"),
    [
        ("BUILDKITE", "buildkite-agent", "oidc request-token --audience sigstore"),
        ("CIRCLECI", "circleci", 'run oidc get --claims {"aud": "sigstore"} --root-issuer'),
    ],
)
def test_a_platforms_own_program_is_asked(
    sandbox: LocalSigstore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, platform: str, program: str, asks: str
) -> None:
    token, asked = tmp_path / "token", tmp_path / "asked"
    token.write_text(sandbox.tokens.for_machine("job"))
    (tmp_path / program).write_text(f'#!/bin/sh\necho "$*" > {asked}\ncat {token}\n')
    (tmp_path / program).chmod(0o755)
    monkeypatch.setenv(platform, "true")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert TokenIdentity.of(token_source(WorkerSettings())()).identity == machine_identity("job")
    assert asked.read_text().strip() == asks


def test_a_platform_that_denies_its_token_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.delenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", raising=False)
    with pytest.raises(Unavailable, match="GitHub"):
        token_source(WorkerSettings())()


def test_without_any_source_the_settings_are_named() -> None:
    names = "BATON_IDENTITY_TOKEN_FILE, BATON_IDENTITY_TOKEN_COMMAND or BATON_IDENTITY_TOKEN_URL"
    with pytest.raises(Missing, match=names):
        token_source(WorkerSettings())()


def test_what_is_no_valid_token_for_sigstore_is_refused(sandbox: LocalSigstore, tmp_path: Path) -> None:
    file = tmp_path / "token"
    source = token_source(WorkerSettings(identity_token_file=file))
    expired = sandbox.tokens.mint({"sub": "x", "exp": 1_000_000})
    other = sandbox.tokens.for_machine("signer", audience="other")
    for content, says in (("junk", "malformed"), (expired, "expired"), (other, "Audience")):
        file.write_text(content)
        with pytest.raises(Refused, match=says) as refusal:
            TokenIdentity.of(source())
        assert content not in str(refusal.value)


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"sub": "x", "email": "ada@example.org"}, "ada@example.org"),
        ({"sub": "spiffe://example.org/signer"}, "spiffe://example.org/signer"),
        (
            {"sub": "x", "ci_config_ref_uri": "gitlab.com/example/hello//.gitlab-ci.yml@refs/tags/v1"},
            "https://gitlab.com/example/hello//.gitlab-ci.yml@refs/tags/v1",
        ),
        ({"sub": "x", "organization_slug": "org", "pipeline_slug": "hello"}, "https://buildkite.com/org/hello"),
        (
            {"sub": "x", "oidc.circleci.com/project-id": "p", "oidc.circleci.com/pipeline-definition-id": "d"},
            "https://circleci.com/api/v2/projects/p/pipeline-definitions/d",
        ),
        (
            {"sub": "x", "kubernetes.io": {"namespace": "ns", "serviceaccount": {"name": "signer"}}},
            "https://kubernetes.io/namespaces/ns/serviceaccounts/signer",
        ),
    ],
)
def test_the_certificates_name_comes_of_the_claims(claims: dict[str, Any], name: str) -> None:
    assert certificate_identity(claims) == name


def test_claims_that_name_nobody_are_refused() -> None:
    with pytest.raises(Refused, match="neither"):
        certificate_identity({"iss": ISSUER})
