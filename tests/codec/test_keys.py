"""Keys come from the environment or a closed file, in order, and are never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from baton.codec.files import write_lines
from baton.codec.keys import CodecKey, Keyring, keyring_of, parse_keys, read_keys
from baton.model.errors import BatonError, Invalid, Missing, Refused
from baton.settings import WorkerSettings

if TYPE_CHECKING:
    from pathlib import Path

KEY = CodecKey.new("spam")
OTHER = CodecKey.new()


def test_keys_are_read_in_order_with_comments() -> None:
    text = f"# the first encrypts\n{KEY.line}   # spam's\n\n{OTHER.line}\n"
    keyring = parse_keys(text, "a file")
    assert keyring.keys == (KEY, OTHER)
    assert keyring.encrypting("spam") == KEY
    assert keyring.encrypting("eggs") == OTHER
    assert keyring.find(OTHER.id) == OTHER


def test_the_environment_gives_keys_or_names_their_file(tmp_path: Path) -> None:
    write_lines(tmp_path / "keys", [KEY.line])
    assert keyring_of(WorkerSettings()) == Keyring()
    assert keyring_of(WorkerSettings(codec_keys=SecretStr(f"{KEY.line} {OTHER.line}"))).keys == (KEY, OTHER)
    assert keyring_of(WorkerSettings(codec_keys_file=tmp_path / "keys")).keys == (KEY,)
    with pytest.raises(Invalid, match="both set"):
        keyring_of(WorkerSettings(codec_keys=SecretStr(KEY.line), codec_keys_file=tmp_path / "keys"))


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_a_file_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "keys"
    write_lines(file, [KEY.line])
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(mode)
    with pytest.raises(Refused, match=f"mode {mode:04o}.*chmod it to 600"):
        read_keys(file)


def test_a_file_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="can't be read"):
        read_keys(tmp_path / "keys")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing",
        "spam",
        "spam:short",
        "Spam:{secret}",
        "{line}x",
        "{line}=",
        "{line} {line}",
    ],
)
def test_what_is_no_key_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_keys(text.format(line=KEY.line, secret=KEY.line[5:]), "BATON_CODEC_KEYS")
    assert "BATON_CODEC_KEYS" in str(refused.value)
    assert KEY.line[5:] not in str(refused.value)


def test_keys_show_themselves_nowhere() -> None:
    settings = WorkerSettings(codec_keys=SecretStr(KEY.line))
    secret = KEY.line.partition(":")[2]
    for shown in (repr(KEY), repr(Keyring((KEY,))), repr(settings), str(settings), KEY.id, Keyring((KEY,)).ids()):
        assert secret not in shown
        assert repr(KEY.secret)[2:-1] not in shown


def test_a_project_that_can_not_be_has_no_key() -> None:
    with pytest.raises(BatonError, match="no key"):
        CodecKey.new("Not a name")
