"""signtool runs on Windows alone: shown here are its command lines, and what Baton makes of how it ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from baton.model.code_signing import ArtifactSigning, Authenticode, SignTool
from baton.model.errors import Missing, Refused, Unavailable
from baton.platform import open_tool
from baton.platform.signtool import SignToolTool, verification
from tests.platform.conftest import portable_executable

if TYPE_CHECKING:
    from pathlib import Path

    from tests.platform.conftest import StandIn

STORE = SignTool(certificate="ab" * 20)
AZURE = ArtifactSigning(
    endpoint="https://weu.codesigning.azure.net", account="python", profile="release", library_from="SIGNING_LIBRARY"
)


def signed_with(signing: Authenticode, tool: SignTool | ArtifactSigning) -> Authenticode:
    return signing.model_copy(update={"tool": tool, "timestamp_url": "http://timestamp.acs.microsoft.com"})


@pytest.fixture
def unsigned(tmp_path: Path) -> Path:
    path = tmp_path / "hello.exe"
    path.write_bytes(portable_executable())
    return path


def test_a_certificate_of_the_store_is_named_by_its_thumbprint(signing: Authenticode, tmp_path: Path) -> None:
    described = signed_with(signing, STORE).model_copy(update={"description": "Hello 1.0"})
    command = SignToolTool(described, STORE).command(tmp_path / "hello.exe", tmp_path)
    assert [str(word) for word in command] == [
        *("signtool", "sign", "/v", "/fd", "SHA256", "/tr", "http://timestamp.acs.microsoft.com", "/td", "SHA256"),
        *("/sha1", "AB" * 20, "/d", "Hello 1.0", str(tmp_path / "hello.exe")),
    ]
    machine = STORE.model_copy(update={"machine": True})
    assert "/sm" in SignToolTool(described, machine).command(tmp_path / "hello.exe", tmp_path)


def test_artifact_signing_gets_its_account_in_a_file_and_no_secret(
    signing: Authenticode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "Azure.CodeSigning.Dlib.dll"
    library.touch()
    monkeypatch.setenv("SIGNING_LIBRARY", str(library))
    command = SignToolTool(signed_with(signing, AZURE), AZURE).command(tmp_path / "hello.exe", tmp_path)
    assert command[-5:] == ["/dlib", library, "/dmdf", tmp_path / "metadata.json", tmp_path / "hello.exe"]
    assert json.loads((tmp_path / "metadata.json").read_text()) == {
        "Endpoint": "https://weu.codesigning.azure.net",
        "CodeSigningAccountName": "python",
        "CertificateProfileName": "release",
        "ExcludeCredentials": ["InteractiveBrowserCredential"],
    }


def test_a_worker_without_the_client_library_says_which_variable_names_it(
    signing: Authenticode, unsigned: Path, tmp_path: Path
) -> None:
    with pytest.raises(Missing, match="SIGNING_LIBRARY is not set"):
        open_tool(signed_with(signing, AZURE)).sign(unsigned, tmp_path / "signed.exe")


def test_a_worker_without_signtool_says_what_to_install(signing: Authenticode, unsigned: Path, tmp_path: Path) -> None:
    with pytest.raises(Missing, match=r"signtool does not run here .*install the Windows SDK"):
        open_tool(signed_with(signing, STORE)).sign(unsigned, tmp_path / "signed.exe")


def test_windows_is_asked_for_a_timestamp_too(tmp_path: Path) -> None:
    assert verification(tmp_path / "hello.exe") == ["signtool", "verify", "/pa", "/tw", "/v", tmp_path / "hello.exe"]


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("SignTool Error: No certificates were found that met all the given criteria.", Refused),
        (
            "SignTool Error: The specified timestamp server either could not be reached or returned an invalid",
            Unavailable,
        ),
        ("Error: SignerSign() failed. (-2147012889/0x80072ee7)", Unavailable),
    ],
)
def test_a_timestamp_that_does_not_come_is_a_matter_of_time(
    said: str, error: type[Exception], signing: Authenticode, unsigned: Path, stand_in: StandIn
) -> None:
    stand_in("signtool", f"echo '{said}'; exit 1")
    with pytest.raises(error, match="signtool ended with exit code 1"):
        open_tool(signed_with(signing, STORE)).sign(unsigned, unsigned.with_name("signed.exe"))
    assert not unsigned.with_name("signed.exe").exists()


@pytest.mark.parametrize("code", [1, 2])
def test_what_windows_warns_of_does_not_count(
    code: int, signing: Authenticode, unsigned: Path, tmp_path: Path, stand_in: StandIn
) -> None:
    signed = tmp_path / "signed.exe"
    open_tool(signing).sign(unsigned, signed)
    tool = open_tool(signed_with(signing, STORE))
    stand_in("signtool", "exit 0")
    tool.verify(unsigned, signed)
    stand_in("signtool", f"echo 'SignTool Warning: File is not timestamped'; exit {code}")
    with pytest.raises(Refused, match="File is not timestamped"):
        tool.verify(unsigned, signed)


def test_what_carries_no_signature_does_not_count_whatever_windows_says(
    signing: Authenticode, unsigned: Path, stand_in: StandIn, tmp_path: Path
) -> None:
    stand_in("signtool", "exit 0")
    tool = open_tool(signed_with(signing, STORE))
    tool.sign(unsigned, tmp_path / "signed.exe")
    with pytest.raises(Refused, match="carries no Authenticode signature"):
        tool.verify(unsigned, tmp_path / "signed.exe")
