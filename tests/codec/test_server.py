"""The codec server reads for those whom a roster has and who prove it, and for nobody else."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from google.protobuf.json_format import MessageToDict, ParseDict
from temporalio.api.common.v1 import Payload, Payloads

from baton.cli.main import run
from baton.codec.app import LARGEST
from baton.codec.codec import Codec
from baton.codec.files import write_lines
from baton.codec.keys import CodecKey, Keyring
from baton.codec.limits import Allowance
from baton.codec.readers import new_token
from baton.codec.scope import Scope
from tests.conftest import PATIENCE
from tests.docs.pages import ROOT
from tests.project.conftest import REAL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BATON = (sys.executable, str(ROOT / "starter.py"))
UI = "http://localhost:8080"
KEY = CodecKey.new()
PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'"CVE-2026-31337"')


@dataclass
class Server:
    url: str
    folder: Path
    tokens: dict[str, str]

    def ask(self, what: str, payloads: object, token: str | None = "ada", **headers: str) -> httpx.Response:  # noqa: S107  # whose token, no password
        sent = {"X-Namespace": "default"}
        if token is not None:
            sent["Authorization"] = f"Bearer {self.tokens.get(token, token)}"
        return httpx.post(f"{self.url}/{what}", json=payloads, headers={**sent, **headers}, timeout=PATIENCE)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("codec")
    (folder / "release.toml").write_text(REAL)
    write_lines(folder / "keys", [KEY.line])
    until = {"ada": date.max, "mallory": date.max, "grace": date(2020, 1, 1)}
    made = {who: new_token(who, day) for who, day in until.items()}
    write_lines(folder / "readers", [token.line for token, _ in made.values()])
    tokens = {who: secret for who, (_, secret) in made.items()}
    command = [*BATON, "codec", "serve", "--port=0", f"--origin={UI}/"]
    with subprocess.Popen(
        [*command, f"--tokens={folder / 'readers'}"],
        env={
            **os.environ, "BATON_CODEC_KEYS_FILE": str(folder / "keys"), "BATON_PROJECTS": str(folder / "release.toml"),
        },
        stderr=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stderr is not None
            yield Server(process.stderr.readline().split()[-1], folder, tokens)
        finally:
            process.terminate()
            # Nothing of all that was asked is in its log.
            assert process.stderr is not None
            assert process.stderr.read() == ""


def written(*payloads: Payload) -> dict[str, Any]:
    return MessageToDict(Payloads(payloads=payloads))


def read(response: httpx.Response) -> list[Payload]:
    assert response.status_code == 200, response.text
    return list(ParseDict(response.json(), Payloads()).payloads)


async def sealed(project: str = "spam", key: CodecKey = KEY) -> Payload:
    return (await Codec(Keyring((key,)), Scope("default", project)).encode([PLAIN]))[0]


async def test_somebody_on_the_roster_reads(server: Server) -> None:
    response = server.ask("decode", written(await sealed(), PLAIN))
    assert read(response) == [PLAIN, PLAIN]
    assert response.headers["cache-control"] == "no-store"
    # The CLI puts the namespace into the path, and the Web UI a question behind it.
    assert read(server.ask("default/decode?preserveStorageRefs=true", written(await sealed()))) == [PLAIN]


async def test_what_it_has_no_key_for_stays_as_it_is(server: Server) -> None:
    unknown = await sealed(key=CodecKey.new())
    assert read(server.ask("decode", written(unknown, await sealed()))) == [unknown, PLAIN]
    assert read(server.ask("decode", written(await sealed()), **{"X-Namespace": "other"})) != [PLAIN]


@pytest.mark.parametrize(
    ("token", "status", "why"),
    [
        (None, 401, "no token"),
        ("nonsense", 401, "nobody's token"),
        ("grace", 401, "ended on 2020-01-01"),
        ("mallory", 403, "mallory is on no roster"),
    ],
)
async def test_nobody_else_reads(server: Server, token: str | None, status: int, why: str) -> None:
    for what in ("decode", "encode"):
        response = server.ask(what, written(await sealed()), token)
        assert (response.status_code, why in response.json()["error"]) == (status, True)


async def test_who_left_the_roster_and_whose_token_was_taken_back_reads_no_more(server: Server) -> None:
    file = server.folder / "release.toml"
    file.write_text(REAL.replace('id = "ada"', 'id = "anna"'))
    assert server.ask("decode", written(await sealed())).status_code == 403
    file.write_text(REAL)
    assert server.ask("decode", written(await sealed())).status_code == 200
    kept = (server.folder / "readers").read_text()
    assert run(["codec", "revoke-tokens", str(server.folder / "readers"), "ada"]) == 0
    assert server.ask("decode", written(await sealed())).status_code == 401
    write_lines(server.folder / "readers", kept.splitlines())


async def test_nobody_reads_while_the_files_are_not_to_be_trusted(server: Server) -> None:
    (server.folder / "readers").chmod(0o644)
    response = server.ask("decode", written(await sealed()))
    (server.folder / "readers").chmod(0o600)
    assert response.status_code >= 400
    assert server.ask("decode", written(await sealed())).status_code == 200


async def test_another_projects_payloads_are_refused(server: Server) -> None:
    response = server.ask("decode", written(await sealed("eggs")))
    assert response.status_code == 403
    assert "you may not read what belongs to 'eggs'" in response.json()["error"]


async def test_what_is_said_in_the_web_ui_is_encrypted_for_the_project(server: Server) -> None:
    (made,) = read(server.ask("encode", written(PLAIN)))
    assert made.metadata["baton-project"] == b"spam"
    assert await Codec(Keyring((KEY,)), Scope("default", "spam")).decode([made]) == [PLAIN]
    assert read(server.ask("spam/encode", written(made))) == [made]


async def test_a_browser_signs_in_once_and_only_the_web_uis_pages_may_ask(server: Server) -> None:
    async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as browser:
        assert "nobody&#x27;s token" in (await browser.post("/sign-in", data={"token": "<b>"})).text
        signed = await browser.post("/sign-in", data={"token": server.tokens["ada"]})
        assert signed.status_code == 303
        for word in ("HttpOnly", "SameSite=strict"):
            assert word in signed.headers["set-cookie"]
        payloads = written(await sealed())
        response = await browser.post("/decode", json=payloads, headers={"X-Namespace": "default", "Origin": UI})
        assert read(response) == [PLAIN]
        assert response.headers["access-control-allow-origin"] == UI
        assert response.headers["access-control-allow-credentials"] == "true"
        evil = {"X-Namespace": "default", "Origin": "https://evil.example"}
        elsewhere = await browser.post("/decode", json=payloads, headers=evil)
        assert elsewhere.status_code == 403
        assert "access-control-allow-origin" not in elsewhere.headers


@pytest.mark.parametrize(("origin", "status"), [(UI, 200), ("https://evil.example", 400)])
def test_browsers_are_told_who_may_ask(server: Server, origin: str, status: int) -> None:
    wants = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-namespace,authorization"}
    assert httpx.options(f"{server.url}/decode", headers={"Origin": origin, **wants}).status_code == status


def test_forms_garbage_and_too_much_are_refused(server: Server) -> None:
    form = server.ask("decode", {}, **{"Content-Type": "text/plain"})
    assert form.status_code == 415
    assert server.ask("decode", [1]).status_code == 400
    assert server.ask("decode", {"payloads": [{"data": "not base64!"}]}).status_code == 400
    assert server.ask("decode", {"payloads": [{"data": "A" * LARGEST}]}).status_code == 413
    headers = {"Authorization": f"Bearer {server.tokens['ada']}"}
    assert httpx.post(f"{server.url}/decode", json={}, headers=headers).status_code == 400
    assert httpx.get(f"{server.url}/decode").status_code == 405


@pytest.mark.parametrize(
    ("lacking", "said"), [("keys", "no keys"), ("release.toml", "no project"), ("readers", "can't be read")]
)
def test_it_does_not_start_without_keys_projects_or_tokens(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], lacking: str, said: str
) -> None:
    places = {"keys": "BATON_CODEC_KEYS_FILE", "release.toml": "BATON_PROJECTS"}
    for name, variable in places.items():
        if name != lacking:
            monkeypatch.setenv(variable, str(server.folder / name))
    tokens = server.folder / ("none" if lacking == "readers" else "readers")
    assert run(["codec", "serve", "--port=0", f"--tokens={tokens}"]) == 1
    assert said in capsys.readouterr().err


def test_a_page_of_another_site_signs_nobody_in(server: Server) -> None:
    given = {"token": server.tokens["ada"]}
    response = httpx.post(f"{server.url}/sign-in", data=given, headers={"Sec-Fetch-Site": "cross-site"})
    assert (response.status_code, "set-cookie" in response.headers) == (403, False)


def test_who_asks_too_much_waits_and_others_do_not() -> None:
    now = [0.0]
    allowance = Allowance(burst=2, every_second=1, clock=lambda: now[0])
    assert [allowance.take("ada") for _ in range(3)] == [True, True, False]
    assert allowance.take("grace")
    now[0] = 1.0
    assert [allowance.take("ada") for _ in range(2)] == [True, False]
