"""Planning a release under way anew: what changes in words, and the release beginning again with it."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from baton.cli.plan_changes import changes
from baton.model.status import Phase
from baton.project.read import read_project
from baton.project.resolve import resolve
from tests.cli.conftest import Team, make_ssh_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from baton.model.plan import Plan

COMMIT = "c" * 40
RELEASE_TOML = """
[project]
name = "{name}"
title = "Hello"
repository = "https://git.example/hello.git"
queue = "{name}"

[streams.1]
status = "bugfix"

[[roster]]
id = "ada"
name = "Ada"
roles = ["release-manager"]
keys = [{{ kind = "ssh", public-key = "{ada}" }}]

[[roster]]
id = "grace"
name = "Grace"
roles = ["macos-expert"]
keys = [{{ kind = "ssh", public-key = "{grace}" }}]

[[steps]]
name = "source"
queue = "build-{name}"
files = ["hello.tar.gz"]
timeout = "1h"
builder = {{ kind = "command", commands = [["make"]] }}

[signing]
sigstore = "machine"
gpg = "none"

[signing.machine]
identity = "https://git.example/hello"
issuer = "https://issuer.example"
queue = "sign-{name}"

[[gates]]
name = "start"
before = "build"
needs = {{ release-manager = 1 }}

[[gates]]
name = "publish"
before = "publish"
needs = {{ release-manager = 1 }}

[[targets]]
kind = "directory"
name = "downloads"
path = "/srv/downloads"
url = "https://downloads.example"
queue = "publish-{name}"
"""


@pytest.fixture
def project(home: Path) -> Path:
    """A folder with the release.toml of a real project, whose people have keys here."""
    keys = {person: make_ssh_key(home / ".ssh" / f"of-{person}")["public_key"] for person in ("ada", "grace")}
    folder = home / "hello"
    folder.mkdir()
    text = RELEASE_TOML.format(name=f"hello-{uuid.uuid4().hex[:8]}", **keys)
    (folder / "release.toml").write_text(text, encoding="utf-8")
    return folder


def edit(project: Path, before: str, after: str) -> None:
    file = project / "release.toml"
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after), encoding="utf-8")


def planned(project: Path, commit: str = COMMIT) -> Plan:
    return resolve(read_project(project), "1.0.0", commit, started_by="ada", sandbox=None)


async def test_a_release_follows_what_release_toml_says_by_now(make_team: Callable[..., Team], project: Path) -> None:
    team = Team(make_team().client, planned(project))
    command = ("replan", team.name, "-C", str(project), "--yes", "--as")
    async with team.working():
        await team.start()
        await team.until_waiting("start")

        unchanged = await team.baton(*command, "ada")
        edit(project, 'timeout = "1h"', 'timeout = "2h"')
        wrong = await team.baton(*command, "grace")
        unasked = await team.baton(*command[:-2], "--as", "ada")
        new = planned(project, "d" * 40)
        replanned = await team.baton(*command, "ada", "--commit", "d" * 40, "--reason", "the builder has moved")
        await team.until(lambda status: status.plan == new.digest and bool(status.waiting))
        log = (await team.baton("log", team.name, "--acts", "--json")).json
        agreed = await team.baton("sign-off", team.name, "start", "--as", "ada", "--yes")
        await team.until_waiting("publish")
        signed = await team.baton("sign-off", team.name, "publish", "--as", "ada", "--yes")
        await team.until(lambda status: status.phase is Phase.RELEASED)
        late = await team.baton(*command, "ada")

        assert (unchanged.code, wrong.code, unasked.code, late.code) == (1, 1, 2, 1)
        assert "release.toml and the commit make the same again" in unchanged.err
        assert "takes release-manager now; grace holds: macos-expert" in wrong.err
        assert (replanned.code, replanned.out) == (0, f"the release begins again, with plan {new.digest[7:19]}\n")
        for shown in (
            new.digest,
            team.plan.digest,
            "step source, timeout: 7200, was 3600",
            f"source, commit: {'d' * 40}",
        ):
            assert shown in replanned.err
        assert [(act["kind"], act["accepted"]) for act in log["acts"]] == [("replan", True)]
        assert new.digest in agreed.err
        assert (agreed.code, signed.code) == (0, 0)
        assert "can't be told anything: it is over already, and ended in phase released" in late.err


async def test_what_is_no_plan_for_the_release_is_refused_before_anything_is_signed(
    real_team: Callable[..., Team], make_team: Callable[..., Team], project: Path
) -> None:
    real, rehearsal = real_team(), make_team()
    await real.start()
    await rehearsal.start()

    other = await real.baton("replan", real.name, "-C", str(project), "--as", "ada", "--yes", "--signal")
    edit(project, f'name = "{planned(project).release.project}"', f'name = "{rehearsal.plan.release.project}"')
    worldless = await rehearsal.baton("replan", rehearsal.name, "-C", str(project), "--as", "ada", "--yes", "--signal")

    assert (other.code, worldless.code) == (1, 1)
    assert f"not of {real.plan.release.project}: name its folder with -C" in other.err
    assert "is a rehearsal: say in which world, with --sandbox or --state" in worldless.err


def test_every_difference_between_two_plans_is_told_by_name(make_plan: Callable[..., Plan]) -> None:
    before = make_plan()
    source, windows = before.model_dump(mode="json", by_alias=True)["steps"]
    people = before.model_dump(mode="json", by_alias=True)["roster"]["people"]
    after = make_plan(
        title="Hello again",
        source={"repository": "/nowhere/hello", "commit": "d" * 40, "tag": "v1.0.0", "prepare": [["make", "ready"]]},
        steps=[{**source, "files": ["hello.tar.gz", "hello.tar.xz"]}, {**windows, "name": "macos"}],
        gates=[{"name": "publish", "before": "publish", "needs": {"release-manager": 2}}],
        roster={"people": [people[1], {**people[0], "roles": ["release-manager", "macos-expert"]}]},
    )

    told = changes(before, after)

    assert told[:4] == [
        "title: Hello again, was Hello",
        f"source, commit: {'d' * 40}, was {'c' * 40}",
        'source, prepare: ["make", "ready"] is new',
        "step source, files: hello.tar.xz is new",
    ]
    assert "step windows is gone" in told
    assert any(line.startswith("step macos is new: ") for line in told)
    assert "gate publish, needs, release-manager: 2, was 1" in told
    assert "person ada, roles: macos-expert is new" in told
    assert "person katherine is gone" in told
    assert changes(before, before) == []
    swapped = make_plan(steps=[windows, source])
    assert changes(before, swapped) == ["steps: in the order windows, source"]
