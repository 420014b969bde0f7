"""Keys are made, brought along and then used, from the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from baton.cli.main import run
from baton.codec.keys import read_keys

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_key_encrypts_at_once_and_the_next_one_when_it_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "codec.keys"
    assert run(["codec", "new-key", str(file), "--for", "spam", "--json"]) == 0
    (first,) = json.loads(capsys.readouterr().out)["keys"]
    assert first == {"id": first["id"], "project": "spam", "encrypts": True}
    assert file.stat().st_mode & 0o777 == 0o600
    assert run(["codec", "new-key", str(file), "--for", "spam"]) == 0
    told = capsys.readouterr()
    second = read_keys(file).keys[1].id
    assert f"baton codec use-key {file} {second}" in told.err
    assert f"{first['id']}  encrypts  spam\n{second}  decrypts  spam\n" == told.out
    assert run(["codec", "use-key", str(file), second]) == 0
    assert [key.id for key in read_keys(file).keys] == [second, first["id"]]
    secrets = [key.line.partition(":")[2] for key in read_keys(file).keys]
    shown = "".join(capsys.readouterr())
    assert not any(secret in told.out + told.err + shown for secret in secrets)
    assert run(["codec", "use-key", str(file), "k000"]) == 1


def test_a_token_is_shown_once_and_kept_nowhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "readers"
    assert run(["codec", "new-token", str(file), "ada", "--days", "7"]) == 0
    token = capsys.readouterr().out.strip()
    assert token.startswith("baton_codec_")
    assert token not in file.read_text()
    assert run(["codec", "list-tokens", str(file), "--json"]) == 0
    (known,) = json.loads(capsys.readouterr().out)["tokens"]
    assert known["person"] == "ada"
    assert run(["codec", "revoke-tokens", str(file), "ada"]) == 0
    assert file.read_text() == ""
    assert run(["codec", "revoke-tokens", str(file), "ada"]) == 1
