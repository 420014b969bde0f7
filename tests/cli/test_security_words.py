"""What people type to a security release and what they are shown, as far as it takes no server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from baton.advisory import Advised, Mended, advisory_text
from baton.cli.exits import WrongCall
from baton.cli.last_release import difference
from baton.cli.names import StreamId, name_of
from baton.cli.security_planning import Ordered, parse_stream, parse_time, require_sound
from baton.model.manifest import Manifest
from baton.model.security import JointStream
from baton.model.version import ReleaseId, SecurityId

if TYPE_CHECKING:
    from collections.abc import Callable

DIGEST = "sha256:" + "d" * 64
COMMIT = "c" * 40
NAME = "0123456789abcdef" * 2


def manifest(version: str, **sizes: int) -> Manifest:
    """Files of these sizes; in their names a ``V`` stands for the version."""
    files = [
        {"name": f"{name.replace('V', version)}.zip", "digest": DIGEST, "size": size, "step": "source"}
        for name, size in sorted(sizes.items())
    ]
    facts = {"project": "hello", "version": version, "plan": DIGEST, "commit": COMMIT, "files": files}
    return Manifest.model_validate(facts)


@pytest.mark.parametrize("typed", ["3.14.1", "3.14.1=", "=fix"])
def test_a_stream_is_a_version_with_its_commit(typed: str) -> None:
    assert parse_stream("3.14.1=fix=2") == ("3.14.1", "fix=2")
    with pytest.raises(WrongCall, match="is not VERSION=COMMIT"):
        parse_stream(typed)


@pytest.mark.parametrize(
    ("typed", "match"), [("tomorrow", "is no time"), ("2026-12-01T14:00", "does not say in which zone")]
)
def test_a_time_has_its_zone(typed: str, match: str) -> None:
    assert parse_time("2026-12-01T15:00+01:00") == datetime(2026, 12, 1, 14, tzinfo=UTC)
    with pytest.raises(WrongCall, match=match):
        parse_time(typed)


def test_an_embargo_ends_in_the_time_to_come() -> None:
    now = datetime.now(UTC)
    ordered = Ordered(folder=Path(), advisory="GHSA-1", streams=(("1.0.1", "fix"),), until=now)
    with pytest.raises(WrongCall, match="the embargo ended at"):
        require_sound(ordered, now)
    require_sound(ordered, now - timedelta(seconds=1))


@pytest.mark.parametrize(
    ("workflow_id", "named"),
    [
        ("release/hello/1.0.1", ReleaseId(project="hello", version="1.0.1")),
        (f"security/hello/{NAME}", SecurityId(project="hello", security=NAME)),
        (f"security/hello/{NAME}/2", StreamId(security=SecurityId(project="hello", security=NAME), number=2)),
        ("security/hello/short", None),
        (f"security/hello/{NAME}/two", None),
        ("another/workflow", None),
    ],
)
def test_a_workflow_id_says_what_is_made(workflow_id: str, named: ReleaseId | SecurityId | StreamId | None) -> None:
    assert name_of(workflow_id) == named
    assert named is None or named.workflow_id == workflow_id


def test_files_are_compared_with_those_of_the_release_before_by_their_names_without_the_version() -> None:
    found = difference(
        manifest("1.0.2", **{"hello-V": 100, "docs-V": 109, "new-V": 5, "grown-V": 200}),
        manifest("1.0.1", **{"hello-V": 100, "docs-V": 100, "old-V": 5, "grown-V": 100}),
    )
    assert found.added == ("new-VERSION.zip",)
    assert found.removed == ("old-VERSION.zip",)
    # A tenth more or less is nothing to look at.
    assert found.resized == (("grown-VERSION.zip", 100, 200),)


@pytest.fixture
def advised() -> Callable[..., Advised]:
    stream = JointStream(version="1.0.1", commit=COMMIT, manifest=DIGEST, plan=DIGEST)

    def of(*, public: bool) -> Advised:
        urls = ("https://example.org/1.0.1/",) if public else ()
        mended = Mended(stream, manifest("1.0.1", **{"hello-V": 100}), urls)
        until = datetime(2026, 12, 1, 14, tzinfo=UTC)
        return Advised("Hello", "GHSA-1", public=public, until=until, joint=DIGEST, streams=(mended,))

    return of


def test_an_advisory_lists_versions_places_and_digests(advised: Callable[..., Advised]) -> None:
    text = advisory_text(advised(public=True))
    assert text.startswith("# Hello: GHSA-1\n\nFixed in Hello 1.0.1.\n")
    assert f"| 1.0.1 | `{COMMIT}` | <https://example.org/1.0.1/> |" in text
    assert f"| `hello-1.0.1.zip` | 100 | `{'d' * 64}` |" in text


def test_an_advisory_that_is_not_public_yet_says_so_first(advised: Callable[..., Advised]) -> None:
    text = advisory_text(advised(public=False))
    assert text.startswith("> **Draft: not public yet.** Tell nobody. The embargo ends 2026-12-01 14:00 UTC.\n")
    assert "| not public yet |" in text
