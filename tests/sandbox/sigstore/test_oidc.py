"""How people and machines get their tokens, and what does not get them one."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import html
import re
import threading
import webbrowser
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import id as ambient
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sigstore._internal.fulcio.client import FulcioClientError
from sigstore.oidc import IdentityToken, Issuer
from sigstore.verify import Verifier, policy

from baton.model.errors import Invalid
from baton.sandbox.sigstore import ISSUER, machine_identity
from baton.sandbox.sigstore.identities import GITHUB_ACTIONS, GOOGLE, SIGSTORE_DEV
from baton.sandbox.sigstore.oidc import OUT_OF_BAND
from baton.sandbox.sigstore.server import local_sigstore
from baton.sandbox.sigstore.tokens import TokenIssuer, github_claims

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sigstore.models import Bundle

    from baton.sandbox.sigstore.server import LocalSigstore

VERIFIER = "v" * 43
QUERY = {
    "response_type": "code",
    "client_id": "sigstore",
    "redirect_uri": "http://localhost:1/auth/callback",
    "state": "the state",
    "code_challenge": base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode(),
    "code_challenge_method": "S256",
}
GRANT = {
    "grant_type": "authorization_code",
    "client_id": "sigstore",
    "redirect_uri": QUERY["redirect_uri"],
    "code_verifier": VERIFIER,
}


@pytest.fixture(scope="module")
def http(instance: LocalSigstore) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=instance.url, trust_env=False) as client:
        yield client


def claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def code_for(http: httpx.Client, email: str) -> str:
    answer = http.get("/oidc/auth", params={**QUERY, "login_hint": email})
    return str(parse_qs(urlsplit(answer.headers["location"]).query)["code"][0])


class TestPerson:
    def test_signs_in_with_the_real_client_through_the_browser(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def browser(url: str) -> bool:
            threading.Thread(target=httpx.get, args=(url,), kwargs={"follow_redirects": True}).start()
            return True

        monkeypatch.setattr(webbrowser, "open", browser)
        with local_sigstore(tmp_path, person="hugo@example.org") as instance:
            token = Issuer(f"{instance.url}/oidc").identity_token()
        assert (token.identity, token.issuer) == ("hugo@example.org", ISSUER)

    def test_signs_in_with_the_real_client_without_a_browser(
        self, instance: LocalSigstore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def person(_prompt: str) -> str:
            shown = capsys.readouterr().err.split()[-1]
            page = httpx.get(shown)
            form = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
            form = {name: html.unescape(value) for name, value in form.items()}
            done = httpx.post(shown.partition("?")[0], data={**form, "email": "hugo@example.org"})
            return str(re.findall(r'<code id="code">(.*)</code>', done.text)[0])

        monkeypatch.setattr("builtins.input", person)
        token = Issuer(f"{instance.url}/oidc").identity_token(force_oob=True)
        assert (token.identity, token.issuer) == ("hugo@example.org", ISSUER)

    def test_is_told_that_it_is_for_development_only(self, http: httpx.Client) -> None:
        page = http.get("/oidc/auth", params=QUERY)
        assert page.status_code == 200
        assert "For development only" in page.text

    def test_cannot_put_markup_into_the_page(self, http: httpx.Client) -> None:
        page = http.get("/oidc/auth", params={**QUERY, "state": '"><script>alert(1)</script>'})
        assert page.status_code == 200
        assert "<script>" not in page.text

    def test_goes_back_to_the_client_with_its_state(self, http: httpx.Client) -> None:
        answer = http.post("/oidc/auth", data={**QUERY, "email": "hugo@example.org"})
        assert answer.status_code == 303
        assert answer.headers["location"].startswith(f"{QUERY['redirect_uri']}?code=")
        assert parse_qs(urlsplit(answer.headers["location"]).query)["state"] == ["the state"]

    def test_gets_a_token_for_the_code_once(self, http: httpx.Client) -> None:
        form = {**GRANT, "code": code_for(http, "hugo@example.org")}
        first, second = http.post("/oidc/token", data=form), http.post("/oidc/token", data=form)
        assert claims(first.json()["access_token"])["email"] == "hugo@example.org"
        assert first.headers["cache-control"] == "no-store"
        assert (second.status_code, second.json()["error"]) == (400, "invalid_grant")

    @pytest.mark.parametrize(
        "wrong",
        [
            {"code_verifier": "w" * 43},
            {"code_verifier": ""},
            {"redirect_uri": "http://localhost:2/auth/callback"},
            {"client_id": "another"},
            {"code": "never given out"},
        ],
        ids=lambda wrong: next(iter(wrong)),
    )
    def test_gets_no_token_with_a_wrong_part_and_spends_the_code(
        self, http: httpx.Client, wrong: dict[str, str]
    ) -> None:
        form = {**GRANT, "code": code_for(http, "hugo@example.org")}
        answer = http.post("/oidc/token", data=form | wrong)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
        spent = "code" not in wrong
        assert http.post("/oidc/token", data=form).status_code == (400 if spent else 200)

    def test_gets_no_token_for_an_old_code(self, tmp_path: Path) -> None:
        times = iter([datetime.now(UTC), datetime.now(UTC) + timedelta(minutes=5)])
        with (
            local_sigstore(tmp_path, clock=lambda: next(times)) as instance,
            httpx.Client(base_url=instance.url) as http,
        ):
            answer = http.post("/oidc/token", data={**GRANT, "code": code_for(http, "hugo@example.org")})
        assert answer.json()["error"] == "invalid_grant"

    @pytest.mark.parametrize(
        "wrong",
        [
            {"response_type": "token"},
            {"client_id": "another"},
            {"code_challenge": "short"},
            {"code_challenge_method": "plain"},
            {"redirect_uri": "https://example.org/callback"},
            {"redirect_uri": "http://localhost.example.org/callback"},
            {"redirect_uri": "http://[broken"},
            {"redirect_uri": "javascript:alert(1)"},
        ],
        ids=lambda wrong: "-".join(*wrong.items()),
    )
    def test_is_not_sent_anywhere_by_a_wrong_request(self, http: httpx.Client, wrong: dict[str, str]) -> None:
        answer = http.get("/oidc/auth", params={**QUERY, "login_hint": "hugo@example.org", **wrong})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
        assert next(iter(wrong)) in answer.json()["error_description"]

    @pytest.mark.parametrize("email", ["", "hugo", "@example.org", "hugo@", "hu go@example.org", "hügo@example.org"])
    def test_needs_an_address(self, http: httpx.Client, email: str) -> None:
        answer = http.post("/oidc/auth", data={**QUERY, "email": email})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")

    def test_can_be_shown_the_code(self, http: httpx.Client) -> None:
        page = http.post("/oidc/auth", data={**QUERY, "redirect_uri": OUT_OF_BAND, "email": "hugo@example.org"})
        code = re.findall(r'<code id="code">(.*)</code>', page.text)[0]
        answer = http.post("/oidc/token", data={**GRANT, "redirect_uri": OUT_OF_BAND, "code": code})
        assert answer.status_code == 200


class TestMachine:
    @pytest.mark.parametrize("by_header", [True, False], ids=["in the header", "in the form"])
    def test_gets_a_token_for_its_secret(
        self,
        instance: LocalSigstore,
        http: httpx.Client,
        sign: Callable[..., Bundle],
        verifier: Verifier,
        by_header: bool,
    ) -> None:
        secret = instance.machines.register("release-worker").read_text()
        form = {"grant_type": "client_credentials"}
        if by_header:
            answer = http.post("/oidc/token", data=form, auth=("release-worker", secret))
        else:
            answer = http.post("/oidc/token", data=form | {"client_id": "release-worker", "client_secret": secret})
        assert answer.status_code == 200
        assert answer.json()["expires_in"] == 300
        bundle = sign(instance.trust_config, answer.json()["access_token"], b"data")
        identity = policy.Identity(identity=machine_identity("release-worker"), issuer=ISSUER)
        verifier.verify_artifact(b"data", bundle, identity)

    def test_is_known_as_soon_as_another_process_registers_it(
        self, instance: LocalSigstore, http: httpx.Client
    ) -> None:
        form = {"grant_type": "client_credentials", "client_id": "newcomer"}
        assert http.post("/oidc/token", data=form | {"client_secret": ""}).status_code == 401
        secret = instance.machines.register("newcomer").read_text()
        assert http.post("/oidc/token", data=form | {"client_secret": secret}).status_code == 200
        assert instance.machines.register("newcomer").read_text() == secret

    @pytest.mark.parametrize(
        ("name", "secret"),
        [("release-worker", "wrong"), ("release-worker", ""), ("nobody", "wrong"), ("../keys/oidc", ""), ("", "")],
    )
    def test_gets_nothing_for_a_wrong_secret(
        self, instance: LocalSigstore, http: httpx.Client, name: str, secret: str
    ) -> None:
        instance.machines.register("release-worker")
        answer = http.post("/oidc/token", data={"grant_type": "client_credentials"}, auth=(name, secret))
        assert answer.status_code == 401
        assert answer.json()["error"] == "invalid_client"
        assert answer.headers["www-authenticate"].startswith("Basic ")

    def test_gets_nothing_with_a_header_that_cannot_be_read(self, http: httpx.Client) -> None:
        form = {"grant_type": "client_credentials"}
        answer = http.post("/oidc/token", data=form, headers={"authorization": "Basic !"})
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")

    def test_gets_nothing_by_another_grant(self, http: httpx.Client) -> None:
        answer = http.post("/oidc/token", data={"grant_type": "password"}, auth=("release-worker", ""))
        assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")

    def test_gets_nothing_for_what_is_no_form(self, http: httpx.Client) -> None:
        answer = http.post("/oidc/token", content=b"\xff")
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")

    @pytest.mark.parametrize("name", ["", "Release", "a/b", "../x", "-x", "a" * 64])
    def test_has_a_plain_name(self, instance: LocalSigstore, name: str) -> None:
        with pytest.raises(Invalid, match="machine name"):
            instance.machines.register(name)


class TestWorkflowJob:
    def test_finds_its_token_as_on_github(self, instance: LocalSigstore, monkeypatch: pytest.MonkeyPatch) -> None:
        # As a fake CI system would, in a process of its own that knows the state folder.
        tokens = TokenIssuer(instance.trust_config.parent)
        for name, value in tokens.github_environment(instance.url, github_claims("python/release")).items():
            monkeypatch.setenv(name, value)
        token = ambient.detect_credential("sigstore")
        assert token is not None
        assert claims(token)["iss"] == GITHUB_ACTIONS
        assert claims(token)["repository"] == "python/release"

    def test_gets_nothing_without_its_request_token(self, instance: LocalSigstore, http: httpx.Client) -> None:
        query = {"audience": "sigstore"}
        assert http.get("/oidc/github-actions", params=query).status_code == 401
        identity_token = instance.tokens.for_github_workflow(github_claims("python/release"))
        bearer = {"authorization": f"bearer {identity_token}"}
        assert http.get("/oidc/github-actions", params=query, headers=bearer).status_code == 401


class TestToken:
    def test_verifies_with_the_published_keys(self, instance: LocalSigstore, http: httpx.Client) -> None:
        configuration = http.get("/oidc/.well-known/openid-configuration").json()
        assert configuration["issuer"] == ISSUER
        keys = jwt.PyJWKSet.from_dict(httpx.get(configuration["jwks_uri"]).json())
        token = instance.tokens.for_machine("release-worker")
        key = keys[jwt.get_unverified_header(token)["kid"]]
        verified = jwt.decode(token, key, algorithms=["ES256"], audience="sigstore", issuer=ISSUER)
        assert verified["sub"] == machine_identity("release-worker")

    def test_forged_gets_no_certificate(self, instance: LocalSigstore, sign: Callable[..., Bundle]) -> None:
        good = claims(instance.tokens.for_machine("release-worker"))
        forged = {
            "another key": jwt.encode(good, ec.generate_private_key(ec.SECP256R1()), "ES256"),
            "no signature": jwt.encode(good, "", "none"),
            "changed": _resigned(instance.tokens.for_machine("release-worker"), instance.tokens.for_machine("other")),
        }
        for how, token in forged.items():
            with pytest.raises(FulcioClientError) as refusal:
                sign(instance.trust_config, token, b"data")
            assert _status(refusal.value) == 401, how

    @pytest.mark.parametrize(
        ("issuer", "wrong", "status"),
        [
            (ISSUER, {"aud": "another"}, 401),
            (ISSUER, {"exp": 1}, 401),
            (ISSUER, {"exp": None}, 401),
            (ISSUER, {"sub": None}, 401),
            (ISSUER, {"sub": ""}, 400),
            (ISSUER, {"email": "hugo@example.org"}, 400),
            (ISSUER, {"email": "hugo@example.org", "email_verified": False}, 400),
            (ISSUER, {"email": "hugo@example.org", "email_verified": "true"}, 400),
            (GOOGLE, {"email": "hügo@example.org", "email_verified": True}, 400),
            (GOOGLE, {}, 400),
            (SIGSTORE_DEV, {"email": "hugo@example.org", "email_verified": True}, 400),
            (GITHUB_ACTIONS, {"repository": "python/release"}, 400),
            ("https://another.example.org", {}, 400),
        ],
    )
    def test_that_does_not_count_gets_no_certificate(
        self, instance: LocalSigstore, http: httpx.Client, issuer: str, wrong: dict[str, Any], status: int
    ) -> None:
        good = {"sub": machine_identity("release-worker")}
        bearer = {"authorization": f"Bearer {instance.tokens.mint(good | wrong, issuer=issuer)}"}
        answer = http.post("/api/v2/signingCert", headers=bearer, json={})
        assert answer.status_code == status
        assert "token" in answer.json()["message"]
        assert bearer["authorization"].split()[1] not in answer.text

    def test_missing_gets_no_certificate(self, http: httpx.Client) -> None:
        for headers in ({}, {"authorization": "Bearer"}, {"authorization": "Basic eDp5"}):
            assert http.post("/api/v2/signingCert", headers=headers, json={}).status_code == 401

    def test_names_its_bearer_to_the_real_client(self, instance: LocalSigstore) -> None:
        machine = IdentityToken(instance.tokens.for_machine("release-worker"))
        person = IdentityToken(instance.tokens.for_person("hugo@example.org", provider=GOOGLE))
        assert (machine.identity, machine.federated_issuer) == (machine_identity("release-worker"), ISSUER)
        assert (person.identity, person.federated_issuer) == ("hugo@example.org", GOOGLE)


def _resigned(signed: str, claims_of: str) -> str:
    header, _, signature = signed.split(".")
    return f"{header}.{claims_of.split('.')[1]}.{signature}"


def _status(error: FulcioClientError) -> int | None:
    with contextlib.suppress(AttributeError):
        return int(error.__cause__.response.status_code)  # type: ignore[union-attr]
    return None
