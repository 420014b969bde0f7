from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from baton.model.code_signing import Authenticode, CodeSigner, OsslSignCode, Pkcs11Key, Pkcs12Key
from baton.model.errors import Invalid, Missing, Refused, Unavailable
from baton.platform import open_tool
from baton.platform.osslsigncode import OsslSignCodeTool
from baton.platform.pe import read_portable
from tests.platform.conftest import PASSPHRASE, Publisher, Timestamps, make_publisher, portable_executable

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def unsigned(tmp_path: Path) -> Path:
    path = tmp_path / "hello.exe"
    path.write_bytes(portable_executable())
    return path


@pytest.fixture
def signed(unsigned: Path, signing: Authenticode) -> Path:
    path = unsigned.with_name("signed.exe")
    open_tool(signing).sign(unsigned, path)
    return path


def with_signer(signing: Authenticode, **changes: object) -> Authenticode:
    return signing.model_copy(update={"signer": CodeSigner.model_validate(signing.signer.model_dump() | changes)})


def test_a_signed_program_carries_the_publishers_signature_and_a_timestamp(
    unsigned: Path, signed: Path, signing: Authenticode, publisher: Publisher, timestamps: Timestamps
) -> None:
    open_tool(signing).verify(unsigned, signed)
    open_tool(with_signer(signing, thumbprint=publisher.thumbprint)).verify(unsigned, signed)
    assert timestamps.asked == 1


def test_the_digest_that_is_compared_is_the_one_that_the_tool_signs(signed: Path) -> None:
    said = subprocess.run(["osslsigncode", "verify", "-in", signed], capture_output=True, text=True, check=False).stdout
    line = next(line for line in said.splitlines() if line.startswith("Calculated message digest"))
    assert read_portable(signed).digest == line.split(":")[1].strip().lower()


def test_the_signature_does_not_count_with_a_timestamp_of_another_authority(
    unsigned: Path, signed: Path, signing: Authenticode, publisher: Publisher
) -> None:
    with pytest.raises(Refused, match="without saying 'Timestamp Server Signature verification: ok'"):
        open_tool(with_signer(signing, timestamp_roots=publisher.roots)).verify(unsigned, signed)


def test_the_signature_does_not_count_by_another_authority_of_the_same_name(
    unsigned: Path, signed: Path, signing: Authenticode, tmp_path: Path
) -> None:
    other = make_publisher(tmp_path, "Hello Publisher")
    with pytest.raises(Refused, match=r"without saying .*'Signature verification: ok'"):
        open_tool(with_signer(signing, roots=other.roots)).verify(unsigned, signed)


@pytest.mark.parametrize("changes", [{"subject": "CN=Hello Publisher"}, {"thumbprint": "0" * 64}])
def test_the_signature_does_not_count_by_another_certificate(
    unsigned: Path, signed: Path, signing: Authenticode, changes: dict[str, str]
) -> None:
    with pytest.raises(
        Refused, match=r"has to be signed by .*; its certificates are: .*'CN=Hello Publisher,O=Example'"
    ):
        open_tool(with_signer(signing, **changes)).verify(unsigned, signed)


def test_what_was_signed_has_to_be_what_was_built(unsigned: Path, signed: Path, signing: Authenticode) -> None:
    unsigned.write_bytes(portable_executable(b"evil"))
    with pytest.raises(Refused, match="is not what was built: its Authenticode digest is"):
        open_tool(signing).verify(unsigned, signed)


def test_a_program_that_was_changed_after_signing_does_not_count(
    unsigned: Path, signed: Path, signing: Authenticode
) -> None:
    for path in (unsigned, signed):
        content = bytearray(path.read_bytes())
        content[0x210] ^= 1
        path.write_bytes(content)
    with pytest.raises(Refused, match="does not count"):
        open_tool(signing).verify(unsigned, signed)


def test_bytes_after_the_signature_are_not_overlooked(unsigned: Path, signed: Path, signing: Authenticode) -> None:
    signed.write_bytes(signed.read_bytes() + b"and more")
    with pytest.raises(Invalid, match="is not its end, so part of the file would not be signed"):
        open_tool(signing).verify(unsigned, signed)


def test_nothing_is_signed_twice(signed: Path, signing: Authenticode, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="carries an Authenticode signature already"):
        open_tool(signing).sign(signed, tmp_path / "twice.exe")
    assert not (tmp_path / "twice.exe").exists()


def test_without_a_timestamp_there_is_no_signed_file_and_another_try_may_help(
    unsigned: Path, signing: Authenticode, timestamps: Timestamps, tmp_path: Path
) -> None:
    timestamps.status = 503
    with pytest.raises(Unavailable, match="no timestamp came from http://127"):
        open_tool(signing).sign(unsigned, tmp_path / "signed.exe")
    assert not (tmp_path / "signed.exe").exists()


def test_a_wrong_passphrase_is_refused_and_not_repeated(
    unsigned: Path, signing: Authenticode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODE_PASSPHRASE", "not the passphrase")
    with pytest.raises(Refused, match="look whether the passphrase is the key's") as refusal:
        open_tool(signing).sign(unsigned, tmp_path / "signed.exe")
    assert "not the passphrase" not in str(refusal.value)


def test_the_passphrase_may_lie_in_a_file(
    unsigned: Path, signing: Authenticode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "passphrase").write_text(f"{PASSPHRASE}\nand a remark\n")
    monkeypatch.delenv("CODE_PASSPHRASE")
    monkeypatch.setenv("CODE_PASSPHRASE_FILE", str(tmp_path / "passphrase"))
    open_tool(signing).sign(unsigned, tmp_path / "signed.exe")
    open_tool(signing).verify(unsigned, tmp_path / "signed.exe")


def test_a_worker_without_the_key_says_which_variable_names_it(
    unsigned: Path, signing: Authenticode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CODE_KEY")
    with pytest.raises(Missing, match="CODE_KEY is not set"):
        open_tool(signing).sign(unsigned, tmp_path / "signed.exe")


def test_the_command_line_holds_no_secret(signing: Authenticode, tmp_path: Path) -> None:
    assert isinstance(signing.tool, OsslSignCode)
    command = OsslSignCodeTool(signing, signing.tool.key).command(tmp_path / "in", tmp_path / "out")
    assert command[:2] == ["osslsigncode", "sign"]
    assert PASSPHRASE not in " ".join(map(str, command))


def test_a_key_in_a_token_is_named_and_its_pin_is_read_from_standard_input(
    signing: Authenticode, publisher: Publisher, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MODULE", str(publisher.pkcs12))
    key = Pkcs11Key(module_from="MODULE", key="pkcs11:object=release", certificates_from="MODULE", pin_from="PIN")
    command = OsslSignCodeTool(signing, key).command(tmp_path / "in", tmp_path / "out")
    shown = " ".join(map(str, command))
    assert f"-pkcs11module {publisher.pkcs12} -certs {publisher.pkcs12} -key pkcs11:object=release -login" in shown
    assert "-readpass /dev/stdin" in shown


@pytest.mark.parametrize("key", ["pkcs11:object=release;pin-value=1234", "pkcs11:a?pin-source=/etc/pin"])
def test_a_plan_can_name_no_pin(key: str) -> None:
    with pytest.raises(ValueError, match="String should match pattern"):
        Pkcs11Key(module_from="M", key=key, certificates_from="C", pin_from="P")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"#!/bin/sh\n", "expected that it begins with MZ"),
        (b"MZ", "its headers are cut off"),
        (portable_executable()[:0x100], "its headers are cut off"),
        (b"MZ" + bytes(200), "this is no|is no Portable Executable of 32 or 64 bits"),
    ],
)
def test_only_programs_for_windows_are_signed(
    content: bytes, problem: str, signing: Authenticode, tmp_path: Path
) -> None:
    (tmp_path / "hello.exe").write_bytes(content)
    with pytest.raises(Invalid, match=problem):
        open_tool(signing).sign(tmp_path / "hello.exe", tmp_path / "signed.exe")


def test_a_key_without_a_passphrase_needs_none(
    signing: Authenticode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CODE_PASSPHRASE")
    tool = OsslSignCodeTool(signing, Pkcs12Key(file_from="CODE_KEY"))
    assert "-readpass" not in tool.command(tmp_path / "in", tmp_path / "out")
