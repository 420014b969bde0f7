from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from baton.builders.credential import credential_in
from baton.model.errors import Invalid, Missing, Refused
from baton.sandbox.fake_ci.github import Fault
from tests.builders.github_world import TOKEN, World, github_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
ACCESS = {"app": "Iv1.baton", "app_key": PUBLIC}
APP: dict[str, Any] = {"token_from": None, "app": {"id": "Iv1.baton", "private_key_from": "APP_KEY_FOR_TEST"}}


@pytest.fixture(scope="module")
def whole_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with github_world(tmp_path_factory.mktemp("github"), access=ACCESS) as world:
        yield world


@pytest.fixture
def world(whole_world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("GITHUB_TOKEN_FOR_TEST", TOKEN)
    monkeypatch.setenv("APP_KEY_FOR_TEST", PRIVATE)
    whole_world.simulator.runs.faults.clear()
    whole_world.goes_wrong(Fault.HELD, times=100)
    whole_world.contract.spoken.clear()
    return whole_world


def tokens_asked_for(world: World) -> int:
    return world.contract.spoken.count(("POST", "/app/installations/1/access_tokens"))


def test_an_app_acts_with_one_token_for_many_requests(world: World) -> None:
    adapter = world.adapter(**APP)
    run = adapter.dispatch(world.order())
    adapter.look(run)
    adapter.cancel(run)
    assert tokens_asked_for(world) == 1


def test_an_app_gets_another_token_when_one_is_not_accepted(world: World) -> None:
    adapter = world.adapter(**APP)
    run = adapter.dispatch(world.order())
    world.goes_wrong(Fault.UNAUTHORIZED)
    assert adapter.look(run).attempt == 1
    assert tokens_asked_for(world) == 2
    world.goes_wrong(Fault.UNAUTHORIZED, times=2)
    with pytest.raises(Refused, match="not valid"):
        adapter.look(run)


def test_a_token_that_ends_soon_is_not_used_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_KEY_FOR_TEST", PRIVATE)
    with github_world(tmp_path, access={**ACCESS, "token_seconds": 200}) as world:
        world.goes_wrong(Fault.HELD)
        adapter = world.adapter(**APP)
        run = adapter.dispatch(world.order())
        before = tokens_asked_for(world)
        assert adapter.look(run).attempt == 1
        assert tokens_asked_for(world) > before


def test_a_key_that_is_another_s_is_for_a_person(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    monkeypatch.setenv("APP_KEY_FOR_TEST", pem)
    with pytest.raises(Refused, match=r"as the App Iv1\.baton: GitHub answers 401"):
        world.adapter(**APP).dispatch(world.order())


def test_what_is_no_key_is_named_and_not_shown(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_KEY_FOR_TEST", "-----BEGIN secret")
    with pytest.raises(Invalid, match="APP_KEY_FOR_TEST does not hold an RSA private key") as error:
        world.adapter(**APP).dispatch(world.order())
    assert "secret" not in f"{error.value!r} {error.value.__cause__!r} {error.value.__context__!r}"


def test_a_wrong_token_is_for_a_person(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN_FOR_TEST", "ghp_wrong")
    with pytest.raises(Refused, match='401 "Bad credentials": the credential is not valid') as error:
        world.adapter().dispatch(world.order())
    assert "ghp_wrong" not in str(error.value)


def test_a_file_of_a_token_is_read_each_time(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("ghp_old\n")
    monkeypatch.delenv("GITHUB_TOKEN_FOR_TEST")
    monkeypatch.setenv("GITHUB_TOKEN_FOR_TEST_FILE", str(file))
    adapter = world.adapter()
    with pytest.raises(Refused):
        adapter.dispatch(world.order())
    file.write_text(f"{TOKEN}\n")
    assert adapter.dispatch(world.order()).attempt == 1


def test_a_worker_without_a_credential_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NOWHERE", raising=False)
    with pytest.raises(Missing, match="neither NOWHERE nor NOWHERE_FILE"):
        credential_in("NOWHERE")
    monkeypatch.setenv("NOWHERE_FILE", str(tmp_path / "no"))
    with pytest.raises(Missing, match="which NOWHERE_FILE names"):
        credential_in("NOWHERE")
    monkeypatch.setenv("NOWHERE", " ")
    with pytest.raises(Invalid, match="is empty"):
        credential_in("NOWHERE")
