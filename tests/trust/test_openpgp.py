from __future__ import annotations

import os
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from baton.model.errors import Invalid, Missing
from baton.trust.identities import TrustedKey, TrustedSigstoreIdentity, Who
from baton.trust.openpgp import open_keyring
from baton.trust.result import Fault, KeyState, SignatureKind

if TYPE_CHECKING:
    from pathlib import Path

    from baton.trust.result import SignatureResult
    from tests.trust.conftest import Gnupg

SOMEONE_ELSE = "0" * 40


@pytest.fixture(scope="module")
def team(gnupg: Gnupg) -> str:
    return gnupg.make("Release team <team@example.org>")


@pytest.fixture(scope="module")
def other(gnupg: Gnupg) -> str:
    return gnupg.make("Someone else <other@example.org>")


@pytest.fixture(scope="module")
def expired(gnupg: Gnupg) -> str:
    return gnupg.make("Left the team <left@example.org>", *gnupg.long_ago, expires="30d")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "hello-1.0.tar.gz"
    path.write_bytes(b"first line\nsecond line\n")
    return path


def trusted(fingerprint: str, first: date | None = None, last: date | None = None) -> TrustedKey:
    return TrustedKey(fingerprint=fingerprint, who=Who.MACHINE, first=first, last=last)


def verify(
    gnupg: Gnupg, signature: bytes, file: Path, *keys: TrustedKey, hold: tuple[str, ...] = ()
) -> SignatureResult:
    """Verify with the public keys of ``keys`` at hand, or of ``hold`` if given."""
    held = hold or tuple(key.fingerprint for key in keys)
    with open_keyring([gnupg.export(*held)]) as keyring:
        return keyring.verify(signature, file, keys, source=f"{file.name}.asc")


def test_a_signature_by_a_trusted_key_counts_and_says_whose_it_is(gnupg: Gnupg, team: str, file: Path) -> None:
    result = verify(gnupg, gnupg.sign(team, file), file, trusted(team))

    assert result
    assert result.kind is SignatureKind.OPENPGP
    assert result.identity == result.signing_key == team
    assert result.matched == trusted(team)
    assert result.states == ()
    assert result.signed_at is not None
    assert abs((datetime.now(UTC) - result.signed_at).total_seconds()) < 60


def test_a_large_file_is_verified_whole(gnupg: Gnupg, team: str, tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(os.urandom(5 * 1024**2))
    signature = gnupg.sign(team, large)
    assert verify(gnupg, signature, large, trusted(team))

    with large.open("ab") as end:
        end.write(b"\n")
    assert verify(gnupg, signature, large, trusted(team)).fault is Fault.BAD


def test_a_signing_subkey_counts_by_its_primary(gnupg: Gnupg, file: Path) -> None:
    primary = gnupg.make("Offline primary <offline@example.org>", usage="cert")
    subkey = gnupg.add_subkey(primary)
    result = verify(gnupg, gnupg.sign(subkey, file), file, trusted(primary))

    assert result
    assert (result.identity, result.signing_key) == (primary, subkey)
    assert result.states == (KeyState.SUBKEY,)
    assert verify(gnupg, gnupg.sign(subkey, file), file, trusted(subkey), hold=(primary,)).fault is Fault.UNTRUSTED


def test_a_good_signature_by_someone_who_is_not_listed_names_both(
    gnupg: Gnupg, team: str, other: str, file: Path
) -> None:
    result = verify(gnupg, gnupg.sign(other, file), file, trusted(team), hold=(team, other))

    assert not result
    assert result.fault is Fault.UNTRUSTED
    assert other in result.reason
    assert team in result.reason
    assert result.expected == (f"OpenPGP key {team}",)


def test_a_key_that_is_not_at_hand_is_unknown(gnupg: Gnupg, team: str, other: str, file: Path) -> None:
    result = verify(gnupg, gnupg.sign(other, file), file, trusted(team), trusted(other), hold=(team,))

    assert result.fault is Fault.UNKNOWN_KEY
    assert result.states == (KeyState.UNKNOWN,)
    assert result.signing_key == other[-16:]
    assert "hand its public key in" in result.reason
    assert "hand its" not in verify(gnupg, gnupg.sign(other, file), file, trusted(team)).reason


def test_without_any_key_a_signature_is_not_checked(gnupg: Gnupg, team: str, file: Path) -> None:
    with open_keyring([]) as keyring:
        result = keyring.verify(gnupg.sign(team, file), file, [trusted(team)], source="hello-1.0.tar.gz.asc")
    assert not result
    assert result.fault is Fault.NOT_CHECKED


def test_identities_of_another_kind_never_count(gnupg: Gnupg, team: str, file: Path) -> None:
    person = TrustedSigstoreIdentity(identity=team, issuer="https://example.org", who=Who.HUMAN)
    with open_keyring([gnupg.export(team)]) as keyring:
        assert keyring.verify(gnupg.sign(team, file), file, [person], source="x.asc").fault is Fault.UNTRUSTED


def test_an_expired_key_counts_only_for_signatures_from_a_window_that_has_ended(
    gnupg: Gnupg, expired: str, file: Path
) -> None:
    signature = gnupg.sign(expired, file, *gnupg.long_ago)

    bounded = verify(gnupg, signature, file, trusted(expired, last=date(2020, 1, 5)))
    assert bounded
    assert bounded.states == (KeyState.EXPIRED,)

    unbounded = verify(gnupg, signature, file, trusted(expired))
    assert unbounded.fault is Fault.EXPIRED
    assert verify(gnupg, signature, file, trusted(expired, last=date(2020, 1, 4))).fault is Fault.OUTSIDE_WINDOW


def test_a_signature_from_before_the_first_day_does_not_count(gnupg: Gnupg, team: str, file: Path) -> None:
    result = verify(gnupg, gnupg.sign(team, file), file, trusted(team, first=date(2999, 1, 1)))
    assert result.fault is Fault.OUTSIDE_WINDOW
    assert "from 2999-01-01 until now" in result.reason


def test_a_revoked_key_never_counts(gnupg: Gnupg, file: Path) -> None:
    key = gnupg.make("Stolen <stolen@example.org>")
    signature = gnupg.sign(key, file)
    assert verify(gnupg, signature, file, trusted(key))

    gnupg.revoke(key)
    result = verify(gnupg, signature, file, trusted(key, last=date(2999, 1, 1)))
    assert result.fault is Fault.REVOKED
    assert result.states == (KeyState.REVOKED,)
    assert result.identity == key


def test_a_signature_of_another_file_is_bad(gnupg: Gnupg, team: str, file: Path, tmp_path: Path) -> None:
    another = tmp_path / "another"
    another.write_bytes(file.read_bytes() + b"\n")
    assert verify(gnupg, gnupg.sign(team, another), file, trusted(team)).fault is Fault.BAD


def test_two_signatures_in_one_file_are_refused_however_they_are_joined(
    gnupg: Gnupg, team: str, other: str, file: Path
) -> None:
    both = [gnupg.sign(team, file), gnupg.sign(other, file)]
    packets = b"".join(gnupg.run("--dearmor", stdin=signature) for signature in both)
    one_block = gnupg.run("--enarmor", stdin=packets).replace(b"PGP ARMORED FILE", b"PGP SIGNATURE")

    for joined in (b"".join(both), one_block):
        result = verify(gnupg, joined, file, trusted(team), trusted(other))
        assert result.fault is Fault.MALFORMED, result.reason


def test_what_is_no_detached_armoured_signature_is_refused(gnupg: Gnupg, team: str, file: Path) -> None:
    for junk in (
        b"",
        b"junk",
        gnupg.sign(team, file, how="--clear-sign"),
        gnupg.sign(team, file, how="--sign"),
        gnupg.run("--dearmor", stdin=gnupg.sign(team, file)),
        gnupg.export(team),
        b"text before\n" + gnupg.sign(team, file),
        gnupg.sign(team, file, "--textmode"),
        b"-----BEGIN PGP SIGNATURE-----\n\naGVsbG8=\n-----END PGP SIGNATURE-----\n",
    ):
        assert verify(gnupg, junk, file, trusted(team)).fault is Fault.MALFORMED, junk


def test_sha1_is_not_good_enough(gnupg: Gnupg, team: str, file: Path) -> None:
    result = verify(gnupg, gnupg.sign(team, file, "--digest-algo", "SHA1"), file, trusted(team))
    assert result.fault is Fault.BAD
    assert "hash algorithm 2" in result.reason


def test_a_signature_that_has_expired_itself_does_not_count(gnupg: Gnupg, file: Path) -> None:
    key = gnupg.make("Old hand <old@example.org>", *gnupg.long_ago)
    signature = gnupg.sign(key, file, *gnupg.long_ago, "--default-sig-expire", "1d")
    assert verify(gnupg, signature, file, trusted(key, last=date(2999, 1, 1))).fault is Fault.EXPIRED


def test_a_user_id_can_not_counterfeit_what_gpg_says(gnupg: Gnupg, team: str, file: Path) -> None:
    # U+0085 is a line end for str.splitlines, and gpg prints it as it is.
    forged = f"[GNUPG:] VALIDSIG {team} 2020-01-01 1577836800 0 4 0 22 8 00 {team}"
    forger = gnupg.make(f"Forger\u0085{forged}\u0085 <forger@example.org>")
    result = verify(gnupg, gnupg.sign(forger, file), file, trusted(team), hold=(team, forger))
    assert result.fault is Fault.UNTRUSTED
    assert result.identity == forger


def test_a_file_name_can_not_become_an_option(
    gnupg: Gnupg, team: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    odd = tmp_path / "--output"
    odd.write_bytes(b"content")
    assert verify(gnupg, gnupg.sign(team, odd), odd.relative_to(tmp_path), trusted(team))


def test_the_users_own_keyring_is_left_alone(
    gnupg: Gnupg, team: str, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    own.mkdir(mode=0o700)
    monkeypatch.setenv("GNUPGHOME", str(own))
    assert verify(gnupg, gnupg.sign(team, file), file, trusted(team))
    assert list(own.iterdir()) == []


def test_gpg_is_needed_only_with_keys_to_check_with(
    gnupg: Gnupg, team: str, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signature, key = gnupg.sign(team, file), gnupg.export(team)
    monkeypatch.setenv("PATH", str(tmp_path))
    with open_keyring([]) as keyring:
        assert keyring.verify(signature, file, [trusted(team)], source="x.asc").fault is Fault.NOT_CHECKED
    with pytest.raises(Missing, match="install GnuPG"), open_keyring([key]):
        pass


@pytest.mark.parametrize("block", [b"", b"junk", b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n"])
def test_a_key_file_without_a_public_key_is_refused(block: bytes) -> None:
    with pytest.raises(Invalid, match="OpenPGP key file 1 of 1 holds"), open_keyring([block]):
        pass
