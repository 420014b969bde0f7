"""Apple's tools run on macOS alone: shown here are their command lines, and what Baton makes of how they end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from baton.model.code_signing import AppleCodeSigning
from baton.model.errors import Missing, Refused, Unavailable
from baton.platform.apple import AppleTool, staple, stapling

if TYPE_CHECKING:
    from pathlib import Path

    from tests.platform.conftest import StandIn

TEAM = "ABCDE12345"
INSTALLER = AppleCodeSigning(identity=f"Developer ID Installer: Example ({TEAM})", team=TEAM)
APPLICATION = AppleCodeSigning(identity=f"Developer ID Application: Example ({TEAM})", team=TEAM)
UNSIGNED = 'echo "Package \\"hello.pkg\\":"; echo "   Status: no signature"; exit 1'
SIGNED = f"""echo '   Status: signed by a developer certificate issued by Apple for distribution'
echo '   Signed with a trusted timestamp on: 2026-11-22 12:00:00 +0000'
echo '   Certificate Chain:'
echo '    1. {INSTALLER.identity}'"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "hello.pkg"
    path.write_bytes(b"xar!")
    return path


def test_code_is_signed_in_place_with_the_hardened_runtime_and_a_timestamp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keychain = tmp_path / "release.keychain-db"
    keychain.touch()
    monkeypatch.setenv("KEYCHAIN", str(keychain))
    tool = AppleTool(APPLICATION.model_copy(update={"keychain_from": "KEYCHAIN"}))
    assert tool.command(tmp_path / "hello", tmp_path / "signed") == [
        *("codesign", "--timestamp", "--options", "runtime", "--keychain", keychain),
        *("--sign", APPLICATION.identity, tmp_path / "signed"),
    ]


def test_a_package_is_signed_by_productsign(package: Path, tmp_path: Path) -> None:
    assert AppleTool(INSTALLER).command(package, tmp_path / "signed.pkg") == [
        *("productsign", "--timestamp", "--sign", INSTALLER.identity, package, tmp_path / "signed.pkg")
    ]


def test_code_is_verified_with_the_team_as_a_requirement(tmp_path: Path) -> None:
    requirement = f'=anchor apple generic and certificate leaf[subject.OU] = "{TEAM}"'
    command = AppleTool(APPLICATION).verification(tmp_path / "hello.dmg")
    assert command == ["codesign", "--verify", "--strict", "--verbose=2", "-R", requirement, tmp_path / "hello.dmg"]


def test_an_identity_of_another_team_is_no_plan() -> None:
    with pytest.raises(ValueError, match="is not of the team ZYXWV98765"):
        AppleCodeSigning(identity=INSTALLER.identity, team="ZYXWV98765")


def test_a_worker_that_runs_no_macos_says_so(package: Path, tmp_path: Path, stand_in: StandIn) -> None:
    with pytest.raises(Missing, match=r"pkgutil does not run here .*macOS"):
        AppleTool(INSTALLER).sign(package, tmp_path / "signed.pkg")
    stand_in("pkgutil", UNSIGNED)
    with pytest.raises(Missing, match=r"productsign does not run here .*this needs macOS"):
        AppleTool(INSTALLER).sign(package, tmp_path / "signed.pkg")


def test_a_signed_package_is_not_signed_again(package: Path, tmp_path: Path, stand_in: StandIn) -> None:
    stand_in("pkgutil", SIGNED)
    stand_in("productsign", "exit 0")
    with pytest.raises(Refused, match=r"hello\.pkg has to come without a signature"):
        AppleTool(INSTALLER).sign(package, tmp_path / "signed.pkg")


def test_a_timestamp_that_does_not_come_is_a_matter_of_time(tmp_path: Path, stand_in: StandIn) -> None:
    (tmp_path / "hello").touch()
    stand_in("codesign", "echo 'hello: The timestamp service is not available.'; exit 1")
    with pytest.raises(Unavailable, match="timestamp service is not available"):
        AppleTool(APPLICATION).sign(tmp_path / "hello", tmp_path / "signed")
    stand_in("codesign", "echo 'error: The specified item could not be found in the keychain.'; exit 1")
    with pytest.raises(Refused, match="could not be found in the keychain"):
        AppleTool(APPLICATION).sign(tmp_path / "hello", tmp_path / "signed")
    assert not (tmp_path / "signed").exists()


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (SIGNED.replace("Example", "Somebody"), r"is signed by 1\. Developer ID Installer: Somebody"),
        (SIGNED.replace("Signed with a trusted", "Signed with a"), "carries no trusted timestamp"),
        (f"{SIGNED}; exit 1", "does not count; pkgutil ended with exit code 1"),
        ("exit 0", "is signed by nobody"),
    ],
)
def test_a_package_counts_by_its_signer_and_timestamp(
    said: str, problem: str, package: Path, stand_in: StandIn
) -> None:
    stand_in("pkgutil", SIGNED)
    AppleTool(INSTALLER).verify(package, package)
    stand_in("pkgutil", said)
    with pytest.raises(Refused, match=problem):
        AppleTool(INSTALLER).verify(package, package)


def test_the_command_that_staples(package: Path) -> None:
    assert stapling(package) == ["xcrun", "stapler", "staple", "-v", package]


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("echo 'CloudKit query failed'; exit 65", Unavailable),
        ("echo 'does not support stapling'; exit 64", Refused),
        ('test "$2" = staple || { echo "does not have a ticket stapled to it."; exit 65; }', Refused),
    ],
)
def test_a_ticket_that_apple_does_not_deliver_yet_is_a_matter_of_time(
    script: str, error: type[Exception], package: Path, stand_in: StandIn
) -> None:
    stand_in("xcrun", script)
    with pytest.raises(error, match=r"hello\.pkg"):
        staple(package)
