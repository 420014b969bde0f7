"""Times and sizes as people read them; words from elsewhere without what could trick a terminal."""

from __future__ import annotations

from datetime import timedelta

import pytest

from baton.cli.terminal import plain
from baton.cli.units import age, size


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3_605, "1 h"),
        (11_100, "3 h 5 min"),
        (273_600, "3 d 4 h"),
    ],
)
def test_ages_have_their_two_largest_units(seconds: int, text: str) -> None:
    assert age(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1.0 KiB"), (1_234_567, "1.2 MiB"), (5 * 1024**4, "5120.0 GiB")],
)
def test_sizes_are_in_powers_of_1024(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31merror\x1b[0m: expected ';'\n", "error: expected ';'\n"),
        ("gone\x1b]0;title\x07\r", "gone\ufffd]0;title\ufffd\ufffd"),
        ("a\u202eb", "a\ufffdb"),
    ],
)
def test_control_sequences_do_not_reach_the_terminal(text: str, shown: str) -> None:
    assert plain(text) == shown
