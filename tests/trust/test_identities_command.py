"""``baton identities`` as people use it: a newer list is fetched from a web server, or checked before it goes there."""

from __future__ import annotations

import json
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from baton.cli.main import run
from baton.sandbox.sigstore import ISSUER, machine_identity
from baton.trust.documents import published_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from baton.sandbox.sigstore.server import LocalSigstore

    Answer = tuple[int, str, str]


def machine(name: str) -> dict[str, str]:
    return {"kind": "sigstore", "identity": machine_identity(name), "issuer": ISSUER, "who": "machine"}


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    (tmp_path / "web").mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "web")))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/identities.json"
    server.shutdown()
    thread.join()
    server.server_close()


class Project:
    """A project's lists: the one that people have, and what it publishes."""

    def __init__(self, folder: Path, address: str, sign: Callable[[str, bytes], bytes]) -> None:
        self._folder, self._sign = folder, sign
        self.document: dict[str, Any] = {
            "kind": "urn:baton:trusted-identities:v1",
            "project": "hello",
            "sigstore": "sandbox",
            "issued": "2026-01-01",
            "expires": "2999-01-01",
            "address": address,
            "document_signers": [machine("publisher")],
            "streams": [{"name": "1", "trusted": [machine("signer")]}],
        }
        self.trusted = folder / "trusted.json"
        self.trusted.write_text(json.dumps(self.document))

    def publish(self, by: str = "publisher", **changes: Any) -> Path:
        file = self._folder / "web/identities.json"
        file.write_text(json.dumps({**self.document, **changes}))
        Path(f"{file}.sigstore.json").write_bytes(self._sign(by, file.read_bytes()))
        return file


@pytest.fixture
def project(
    tmp_path: Path,
    web: str,
    sandbox: LocalSigstore,
    *,
    bundle: Callable[[str, bytes], bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> Project:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return Project(tmp_path, web, lambda by, content: bundle(sandbox.tokens.for_machine(by), content))


@pytest.fixture
def identities(sandbox: LocalSigstore, capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    def called(*arguments: str | Path) -> Answer:
        config = [] if arguments == ("schema",) else ["--trust-config", str(sandbox.trust_config)]
        code = run(["identities", *map(str, arguments), *config])
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return code, printed.out, printed.err

    return called


def test_a_list_is_fetched_by_address_first_and_by_name_from_then_on(
    project: Project, identities: Callable[..., Answer], web: str
) -> None:
    project.publish()
    code, output, errors = identities("fetch", web, "--trusting", project.trusted)
    assert (code, errors) == (0, "")
    assert "hello number 1 of 2026-01-01, until 2999-01-01" in output
    assert "baton verify --project hello" in output

    project.publish(serial=2, issued="2026-06-01")
    code, output, _ = identities("fetch", "hello", "--json")
    assert code == 0
    answer = json.loads(output)
    assert (answer["schema"], answer["serial"], answer["new"]) == ("urn:baton:identities:v1", 2, True)
    assert json.loads(Path(answer["file"]).read_text())["serial"] == 2
    assert "is the newest already" in identities("fetch", "hello")[1]

    project.publish()
    code, _, errors = identities("fetch", "hello")
    assert code == 1
    assert "an older one can't take its place" in errors
    code, _, errors = identities("fetch", web, "--trusting", project.trusted)
    assert code == 1, "naming the old list does not bring it back"
    assert "number 2" in errors


def test_what_a_stranger_put_at_the_address_is_not_kept(
    project: Project, identities: Callable[..., Answer], web: str, tmp_path: Path
) -> None:
    project.publish(by="mallory", serial=2)
    code, output, errors = identities("fetch", web, "--trusting", project.trusted)
    assert (code, output) == (1, "")
    assert machine_identity("mallory") in errors
    assert machine_identity("publisher") in errors
    assert not list((tmp_path / "data").rglob("hello*"))


def test_fetching_needs_something_to_begin_with(project: Project, identities: Callable[..., Answer], web: str) -> None:
    assert "--trusting FILE" in identities("fetch", web)[2]
    assert "only those of: cpython" in identities("fetch", "hello")[2]
    assert "do not say where newer ones are" in identities("fetch", "cpython")[2]
    code, _, errors = identities("fetch", web, "--trusting", project.trusted)
    assert code == 1
    assert "is not there (404)" in errors


def test_checking_says_who_signed_and_what_is_taken_back(project: Project, identities: Callable[..., Answer]) -> None:
    good = project.publish(serial=2, issued="2026-06-01")
    code, output, _ = identities("check", good, "--trusting", project.trusted)
    assert code == 0
    assert f"signed by: {machine_identity('publisher')}" in output

    other = [{"name": "1", "trusted": [machine("other")]}]
    bad = project.publish(by="mallory", serial=1, streams=other)
    code, output, _ = identities("check", bad, "--trusting", project.trusted, "--json")
    assert code == 1
    answer = json.loads(output)
    assert (answer["ok"], answer["signed_by"]) == (False, [])
    unsigned, same_number, gone = answer["problems"]
    assert "mallory" in unsigned
    assert "two documents are number 1" in same_number
    assert f"stream 1: {machine_identity('signer')}" in gone
    assert "published" not in identities("check", bad, "--trusting", project.trusted, "--published", "2.0")[1]


def test_a_list_that_nobody_signed_yet_can_be_checked(project: Project, identities: Callable[..., Answer]) -> None:
    code, output, _ = identities("check", project.trusted)
    assert code == 0
    assert "nobody yet" in output


def test_the_schema_is_printed(identities: Callable[..., Answer]) -> None:
    assert identities("schema") == (0, published_schema(), "")


@pytest.mark.parametrize(
    "arguments",
    [[], ["check"], ["fetch"], ["schema", "x"], ["show", "x"], ["check", "{trusted}", "--published", "v1"]],
)
def test_a_wrong_call_ends_with_2(project: Project, identities: Callable[..., Answer], arguments: list[str]) -> None:
    code, output, errors = identities(*(argument.format(trusted=project.trusted) for argument in arguments))
    assert (code, output) == (2, "")
    assert errors
