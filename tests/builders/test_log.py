from __future__ import annotations

from typing import TYPE_CHECKING

from baton.builders.log import tail

if TYPE_CHECKING:
    from pathlib import Path


def test_it_is_what_a_terminal_would_show_last(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"\x1b[1mcompiling\x1b[0m\r\n10%\r 50%\r100%\n\n\x1b]0;title\x07done \xff\x00\n")

    assert tail(log) == "compiling\n100%\ndone �"


def test_it_is_short_whatever_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(f"{n}\n" for n in range(100_000)))
    assert tail(log).split("\n") == [str(n) for n in range(99_988, 100_000)]

    log.write_text("x" * 1_000_000)
    assert tail(log) == "x" * 1200
