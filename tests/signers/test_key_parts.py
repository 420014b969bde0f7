from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from baton.signers.key_parts import Key, key_problem
from baton.trust.gnupg_home import open_home, temporary_home

if TYPE_CHECKING:
    from tests.signers.conftest import Gnupg

TODAY = date(2020, 6, 1)
MONTH = timedelta(days=30)


def public(gnupg: Gnupg, fingerprint: str) -> Key:
    """The key as strangers see it: from its exported block alone."""
    with temporary_home() as home:
        [listed] = open_home(home).scan_keys_mem(gnupg.public(fingerprint))
    return Key.of(listed)


def problem(gnupg: Gnupg, fingerprint: str, today: date = TODAY) -> str:
    found = key_problem(public(gnupg, fingerprint), today, MONTH)
    return "" if found is None else f"{'error' if found.fatal else 'warning'}: {found.fact}"


@pytest.mark.parametrize(
    ("primary", "subkey", "today", "expected"),
    [
        ("0", "0", TODAY, ""),
        ("2030-01-01", "2021-01-05", TODAY, ""),
        ("2030-01-01", "2021-01-05", date(2020, 12, 6), "warning: ends on 2021-01-05: its last signing subkey does"),
        ("2030-01-01", "2021-01-05", date(2021, 1, 6), "error: expired on 2021-01-05: its last signing subkey did"),
        ("2021-01-05", "2030-01-01", date(2020, 12, 6), "warning: ends on 2021-01-05: its primary key does"),
        ("2021-01-05", "0", date(2021, 1, 6), "error: expired on 2021-01-05: its primary key did"),
    ],
)
def test_a_key_lasts_as_long_as_its_primary_key_and_a_subkey(
    gnupg: Gnupg, *, primary: str, subkey: str, today: date, expected: str
) -> None:
    key = gnupg.make("team", *gnupg.long_ago, usage="cert", expires=primary)
    gnupg.add_subkey(key, *gnupg.long_ago, expires=subkey)
    assert problem(gnupg, key, today) == expected


def test_a_subkey_that_ends_is_no_problem_once_there_is_another(gnupg: Gnupg) -> None:
    key = gnupg.make("team", *gnupg.long_ago, usage="cert")
    gnupg.add_subkey(key, *gnupg.long_ago, expires="2020-06-10")
    assert problem(gnupg, key).startswith("warning: ends on 2020-06-10")
    gnupg.add_subkey(key, "--faked-system-time", "20200601T120000!", expires="2y")
    assert problem(gnupg, key) == ""


def test_a_key_that_only_certifies_can_not_sign(gnupg: Gnupg) -> None:
    assert problem(gnupg, gnupg.make("team", usage="cert")) == "error: no part of the key can sign"


def test_a_revoked_primary_key_is_said_to_be_revoked(gnupg: Gnupg) -> None:
    key = gnupg.make("team", usage="cert")
    gnupg.add_subkey(key)
    gnupg.revoke(key)
    assert problem(gnupg, key).startswith("error: its primary key has been revoked")
