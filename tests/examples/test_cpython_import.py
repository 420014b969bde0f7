"""`baton import python-releases`: streams follow the calendar, and nothing else of release.toml moves."""

from __future__ import annotations

import functools
import tomllib
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

from baton.cli.commands.importing import imports
from baton.model.errors import BatonError, Refused
from baton.project.problem import InvalidProject
from baton.project.python_releases import LARGEST, read_calendar
from baton.project.stream_tables import with_streams
from tests.project.conftest import REAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


CALENDAR = Path(__file__).parent / "python-releases.toml"
"""It has the streams from 3.9 to 3.16."""

BEFORE = """\
# Spam's streams
[streams."3.9"]
status = "security"      # the last one
end-of-life = 2025-10-01

[streams."3.13"]         # with a key of its own
status = "bugfix"
first-release = 2024-10-07

[streams."3.13".signing]
gpg = "none"

[streams."3.14"]
# not final yet
status = "prerelease"
# its PEP is 745

# Who may act.
"""

AFTER = """\
# Spam's streams
[streams."3.9"]
status = "end-of-life"      # the last one
first-release = 2020-10-05
end-of-life = 2025-10-31

[streams."3.13"]         # with a key of its own
status = "bugfix"
first-release = 2024-10-07
end-of-life = 2029-10-01

[streams."3.13".signing]
gpg = "none"

[streams."3.14"]
# not final yet
status = "bugfix"
first-release = 2025-10-07
end-of-life = 2030-10-01
# its PEP is 745

[streams."3.10"]
status = "security"
first-release = 2021-10-04
end-of-life = 2026-10-01

[streams."3.11"]
status = "security"
first-release = 2022-10-24
end-of-life = 2027-10-01

[streams."3.12"]
status = "security"
first-release = 2023-10-02
end-of-life = 2028-10-01

[streams."3.15"]
status = "prerelease"
first-release = 2026-10-01
end-of-life = 2031-10-01

[streams."3.16"]
status = "feature"
first-release = 2027-10-06
end-of-life = 2032-10-01

# Who may act.
"""


def whole(streams: str) -> str:
    """A valid release.toml with these streams."""
    project, _, after = REAL.partition('[streams."3.13"]')
    return project + streams + after[after.index("[[roster]]") :]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "release.toml").write_text(whole(BEFORE), encoding="utf-8")
    return tmp_path


@pytest.fixture
def baton(folder: Path) -> Callable[..., Result]:
    def run(*arguments: str, calendar: Path = CALENDAR) -> Result:
        return CliRunner().invoke(imports, ["python-releases", str(calendar), "-C", str(folder), *arguments])

    return run


def written(folder: Path) -> str:
    return (folder / "release.toml").read_text(encoding="utf-8")


def test_streams_follow_the_calendar_and_comments_stay(baton: Callable[..., Result], folder: Path) -> None:
    done = baton("--yes")

    assert (done.exit_code, written(folder)) == (0, whole(AFTER))
    assert '-status = "security"      # the last one\n' in done.stdout
    assert '+status = "end-of-life"      # the last one\n' in done.stdout


def test_a_second_import_finds_nothing_to_do(baton: Callable[..., Result], folder: Path) -> None:
    baton("--yes")
    first = written(folder)

    again = baton("--check")

    assert (again.exit_code, again.stdout, written(folder)) == (0, "", first)


def test_a_check_writes_nothing_and_says_that_there_is_something_to_write(
    baton: Callable[..., Result], folder: Path
) -> None:
    checked = baton("--check")

    assert checked.exit_code == 1
    assert '+[streams."3.15"]' in checked.stdout
    assert written(folder) == whole(BEFORE)


def test_without_a_terminal_nothing_is_written_unasked(baton: Callable[..., Result], folder: Path) -> None:
    assert baton().exit_code == 2
    assert written(folder) == whole(BEFORE)


def test_a_stream_that_the_calendar_does_not_know_stays(baton: Callable[..., Result], folder: Path) -> None:
    own = BEFORE + '[streams."2.0"]\nstatus = "feature"\n\n'
    (folder / "release.toml").write_text(whole(own), encoding="utf-8")

    done = baton("--yes")

    assert "the calendar knows no stream 2.0" in done.stderr
    assert '[streams."2.0"]\nstatus = "feature"\n\n[streams."3.10"]' in written(folder)


def test_a_stream_that_holds_every_version_is_not_joined_by_others(baton: Callable[..., Result], folder: Path) -> None:
    (folder / "release.toml").write_text(whole('[streams."*"]\nstatus = "bugfix"\n\n'), encoding="utf-8")

    done = baton("--yes")

    assert isinstance(done.exception, InvalidProject)
    assert "its versions belong to stream * as well" in str(done.exception)
    assert '[streams."3.15"]' not in written(folder)


def test_windows_line_ends_stay() -> None:
    document = with_streams(whole(BEFORE).replace("\n", "\r\n").encode(), read_calendar(str(CALENDAR)))

    assert document.decode() == whole(AFTER).replace("\n", "\r\n")


@pytest.mark.parametrize(
    "streams",
    [
        '[streams]\n"3.13" = { status = "security" }\n',
        '[streams]\n"3.13".status = "security"\n',
    ],
)
def test_a_stream_in_another_form_is_left_to_people(streams: str) -> None:
    with pytest.raises(Refused, match=r'write it as a table under a header \[streams\."3\.13"\]'):
        with_streams(whole(streams).encode(), read_calendar(str(CALENDAR)))


@pytest.mark.parametrize("tail", ["", "\n", "\n# the end\n", "   # the end"])
def test_the_last_line_of_a_file_may_be_a_streams(tail: str) -> None:
    document = f'[streams."3.14"]\nstatus = "feature"{tail}'

    after = with_streams(document.encode(), read_calendar(str(CALENDAR))).decode()

    assert list(tomllib.loads(after)["streams"]) == ["3.14", "3.10", "3.11", "3.12", "3.13", "3.15", "3.16"]
    assert ("# the end" in after) == ("# the end" in tail)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of a web server that has the calendar, and a file that is too large for one."""
    (tmp_path / "python-releases.toml").write_bytes(CALENDAR.read_bytes())
    (tmp_path / "large.toml").write_bytes(b"#" * (LARGEST + 1))
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        thread = Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


def test_a_calendar_may_be_on_a_web_server(server: str) -> None:
    assert read_calendar(f"{server}/python-releases.toml") == read_calendar(str(CALENDAR))


@pytest.mark.parametrize(
    ("page", "told"), [("nothing.toml", "is not there (404)"), ("large.toml", "larger than 4,194,304 bytes")]
)
def test_a_server_without_a_calendar_is_named(server: str, page: str, told: str) -> None:
    with pytest.raises(BatonError) as raised:
        read_calendar(f"{server}/{page}")

    assert str(raised.value).startswith(f"{server}/{page}")
    assert told in str(raised.value)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"bugfix"', '"bugfx"', ':49: metadata."3.13".status: found "bugfx"; accepted: "feature", '),
        ('status = "end-of-life"\n', "", ':3: metadata."3.9".status: missing; accepted: '),
        ("2029-10-01", '"2029"', ':56: metadata."3.13".end-of-life: found "2029"; accepted: a date without quotes'),
        ("2024-10-07", "2024-10-07T12:00:00Z", ':54: metadata."3.13".first-release: found 2024-10-07 12:00'),
        ('[metadata."3.14"]', '[metadata."3,14"]', ':68: metadata."3,14": found "3,14"; accepted: a stream'),
        ("[metadata.", "[meta.", ": no calendar of CPython's releases"),
        ("pep = 596", "pep = ", ":4: not TOML: invalid value"),
        ("Łukasz", "\udcff", ":7: TOML is text in UTF-8, and this line is not"),
    ],
)
def test_what_is_wrong_with_a_calendar_is_told_by_its_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    file = tmp_path / "calendar.toml"
    text = CALENDAR.read_text(encoding="utf-8").replace(old, new)
    file.write_text(text, encoding="utf-8", errors="surrogateescape")

    with pytest.raises(InvalidProject) as raised:
        read_calendar(str(file))

    assert str(raised.value).startswith(f"{file}{told}")


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("nowhere.toml", "nowhere.toml: no such file; name the calendar's file or its address"),
        ("http://peps.example/x.toml", "http://peps.example/x.toml is no address to trust; expected https://"),
        ("/", "can't be read: Is a directory"),
    ],
)
def test_a_calendar_that_is_not_there_is_named(where: str, told: str) -> None:
    with pytest.raises(BatonError) as raised:
        read_calendar(where)

    assert told in str(raised.value)
