"""Looking: what waits, where a release is, who did what, and where to see it; as pages and as JSON."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import ApplicationError

from baton.cli.workers import QueueWorkers
from baton.model.status import Beginning, Phase, ReleaseStatus
from baton.store import open_store
from tests.conftest import PATIENCE
from workflows.visibility import PHASE, WAITING_FOR, WAITING_ON

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Team


async def listed(team: Team, *options: str, there: bool = True) -> list[dict[str, Any]]:
    """What `baton list` says of the team's release, once visibility has caught up with it."""
    async with asyncio.timeout(PATIENCE):
        while True:
            document = (await team.baton("list", "--json", *options)).json
            assert document["schema"] == "urn:baton:list:v1"
            found = [item for item in document["releases"] if item["workflow_id"] == team.plan.release.workflow_id]
            if bool(found) is there:
                return found
            await asyncio.sleep(0.05)


async def test_the_status_page_says_what_is_waited_for_and_what_to_type(team: Team) -> None:
    async with team.working():
        await team.start()
        await team.until_waiting("publish")

        seen = await team.baton("status", team.name)

        assert seen.code == 0
        assert seen.err == ""
        assert "SANDBOX REHEARSAL" in seen.out
        assert "Waits for a sign-off: publish" in seen.out
        assert "Any release-manager can give it: ada, grace" in seen.out
        assert f"$ baton sign-off {team.name} publish\n" in "\n".join(line.rstrip() for line in seen.out.split("\n"))


async def test_status_as_json_is_the_status_and_nothing_else(team: Team) -> None:
    async with team.working():
        run = await team.start()
        await team.until_waiting("publish")

        seen = (await team.baton("status", team.plan.release.workflow_id, "--json")).json

        assert (seen.pop("schema"), seen.pop("silent")) == ("urn:baton:status:v1", [])
        assert ReleaseStatus.model_validate(seen) == await team.status()
        assert seen["run"] == run


async def test_scripts_can_tell_that_a_release_waits_for_a_person(team: Team) -> None:
    async with team.working():
        await team.start()
        await team.until_waiting("publish")
        waiting = await team.baton("status", team.name, "--exit-code")
        await team.baton("sign-off", team.name, "publish", "--as", "ada", "--yes")
        await team.until(lambda status: status.phase is Phase.RELEASED)
        released = await team.baton("status", team.name, "--exit-code")

        assert (waiting.code, released.code) == (3, 0)


async def test_watching_ends_with_the_release(team: Team) -> None:
    async with team.working():
        await team.start()
        await team.until_waiting("publish")
        await team.baton("sign-off", team.name, "publish", "--as", "ada", "--yes")

        watched = await team.baton("status", team.name, "--watch", "--exit-code")

        assert watched.code == 0
        assert "✓ released" in watched.out
        assert "https://example.org/downloads" in watched.out


@pytest.mark.usefixtures("impatient")
async def test_a_finished_release_shows_its_status_with_no_worker(team: Team) -> None:
    async with team.working():
        await team.start()
        await team.until_waiting("publish")
        await team.baton("sign-off", team.name, "publish", "--as", "ada", "--yes")
        await team.until(lambda status: status.phase is Phase.RELEASED)

    seen = await team.baton("status", team.name, "--json")

    assert seen.json["phase"] == "released"


async def test_a_release_that_is_not_there_is_answered_with_similar_ones(team: Team) -> None:
    await team.start()

    await listed(team, "--all")

    missed = await team.baton("status", team.name[:-1] + "1")

    assert (missed.code, missed.out) == (1, "")
    assert f"there are: {team.plan.release}" in missed.err


@pytest.mark.parametrize("typed", ["hello", "hello/1.0.0/x", "hello/one", "Hello/1.0.0", "hello/1.00"])
async def test_what_is_no_release_is_refused_with_the_form_expected(team: Team, typed: str) -> None:
    refused = await team.baton("status", typed)

    assert refused.code == 2
    assert "expected PROJECT/VERSION, such as hello/1.0.0" in refused.err


async def test_the_list_says_what_waits_for_whom_and_all_of_it_on_demand(team: Team) -> None:
    async with team.working():
        await team.start()
        await team.until_waiting("publish")

        (item,) = await listed(team)
        page = await team.baton("list")
        adas = await listed(team, "--mine", "--as", "ada")
        groups = await team.baton("list", "--as", "katherine")
        await listed(team, "--mine", "--as", "katherine", there=False)
        await team.baton("cancel", team.name, "--as", "ada", "--yes")
        await team.until(lambda status: status.phase is Phase.CANCELLED)
        await listed(team, there=False)
        (over,) = await listed(team, "--all")

        assert (item["waiting_for"], item["waiting_on"]) == (["sign-off:publish"], ["release-manager"])
        assert item["waiting"][0]["people"] == ["ada", "grace"]
        assert adas[0]["waiting"] == item["waiting"]
        assert (item["turn"], adas[0]["turn"]) == ({"sign-off:publish": "others"}, {"sign-off:publish": "me"})
        assert str(team.plan.release) in groups.out.partition("Waits for others")[2]
        assert f"{team.plan.release}   phase stage" in page.out
        assert "sign-off publish since" in page.out
        assert (over["phase"], over["waiting"]) == ("cancelled", None)


async def test_what_a_person_has_given_already_waits_for_their_roles(make_team: Callable[..., Team]) -> None:
    team = make_team(gates=[{"name": "publish", "before": "publish", "needs": {"release-manager": 2}}])
    async with team.working():
        await team.start()
        await team.until_waiting("publish")
        await team.baton("claim", team.name, "--as", "grace")
        await team.baton("sign-off", team.name, "publish", "--as", "ada", "--yes")

        (adas,) = await listed(team, "--as", "ada")
        (graces,) = await listed(team, "--as", "grace")
        page = await team.baton("list", "--as", "grace")
        await listed(team, "--mine", "--as", "ada", there=False)
        nobody = await team.baton("list", "--mine")

        assert (adas["turn"], graces["turn"]) == ({"sign-off:publish": "my-roles"}, {"sign-off:publish": "me"})
        assert adas["driver"] == "grace"
        mine = page.out.partition("Waits for others")[0]
        assert mine.startswith("Waits for you\n")
        assert f"$ baton sign-off {team.name} publish" in mine
        assert f"{team.plan.release}   phase stage   grace drives it" in mine
        assert nobody.code == 1
        assert "say who you are with --as PERSON or BATON_PERSON" in nobody.err


async def test_the_log_says_who_did_what(team: Team) -> None:
    async with team.working():
        await team.start()
        await team.until_waiting("publish")
        await team.baton("sign-off", team.name, "publish", "--as", "grace", "--yes", "--reason", "checked twice")

        page = await team.baton("log", team.name)
        document = (await team.baton("log", team.name, "--json")).json

        assert "signed off gate publish as release-manager (unsigned). checked twice" in " ".join(page.out.split())
        assert document["schema"] == "urn:baton:log:v1"
        assert document["release"] == team.plan.release.workflow_id
        assert ("ada", f"started {team.plan.release} from commit {'c' * 40}") in [
            (entry["who"], entry["what"]) for entry in document["entries"]
        ]


async def test_the_log_of_a_failed_step_is_one_command_away(team: Team, tmp_path: Path) -> None:
    digest = open_store(str(tmp_path / "store")).put_bytes(b"cc hello.c\n\x1b[31merror:\x1b[0m expected ';'\r\n")
    team.broken["source"] = [ApplicationError("cc exited with 1", digest, type="Failed", non_retryable=True)]
    async with team.working():
        await team.start()
        await team.until_waiting("source")

        page = await team.baton("status", team.name)
        log = await team.baton("log", team.name, "source")
        none = await team.baton("log", team.name, "prepare")

        assert f"$ baton log {team.name} source" in page.out
        assert log.out == "cc hello.c\nerror: expected ';'\n"
        assert none.code == 1
        assert "step prepare of" in none.err


async def test_the_address_of_a_release_in_the_web_ui(team: Team) -> None:
    every = await team.baton("ui")
    one = await team.baton("ui", "hello/1.0.0", "--json")

    assert every.out == "http://ui.example.org/namespaces/default/workflows\n"
    assert one.json == {
        "schema": "urn:baton:ui:v1",
        "url": "http://ui.example.org/namespaces/default/workflows/release%2Fhello%2F1.0.0",
    }


async def test_an_unknown_web_ui_is_said_to_be_unknown(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BATON_UI_URL")

    unknown = await team.baton("ui")

    assert unknown.code == 1
    assert "set BATON_UI_URL" in unknown.err


async def test_a_queue_that_nobody_polls_is_on_the_page(make_team: Callable[..., Team]) -> None:
    team = make_team()
    source, windows = team.plan.steps
    deserted = windows.model_copy(update={"queue": f"{team.plan.queue}-windows"})
    team.plan = team.plan.model_copy(update={"steps": (source, deserted)})
    async with team.working(without=deserted.queue):
        await team.start()
        await team.until(lambda status: any(step.name == "source" and step.state == "done" for step in status.steps))

        page = await team.baton("status", team.name)
        document = (await team.baton("status", team.name, "--json")).json

        assert f"! no worker is polling {deserted.queue}" in page.out
        assert document["silent"] == [f"no worker is polling {deserted.queue} (none seen in the last 5 minutes)"]


def test_a_worker_counts_as_gone_when_a_poll_of_its_would_be_over() -> None:
    now = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)

    polling = QueueWorkers("build-macos", now - timedelta(seconds=61))
    gone = QueueWorkers("build-macos", now - timedelta(minutes=3, seconds=2))

    assert not polling.silent(now)
    assert gone.fact(now) == "no worker is polling build-macos (last seen 3 min 2 s ago)"


@pytest.mark.usefixtures("impatient")
async def test_the_list_shows_a_release_whose_worker_is_gone(team: Team) -> None:
    # A search attribute outlives every worker; the release is started waiting, so that none is needed here.
    await team.client.start_workflow(
        "Release",
        Beginning(plan=team.plan),
        id=team.plan.release.workflow_id,
        task_queue=team.plan.queue,
        search_attributes=TypedSearchAttributes(
            [
                SearchAttributePair(PHASE, "stage"),
                SearchAttributePair(WAITING_FOR, ["sign-off:publish"]),
                SearchAttributePair(WAITING_ON, ["release-manager"]),
            ]
        ),
    )

    (mine,) = await listed(team, "--mine", "--as", "katherine")
    page = await team.baton("list")

    assert "waits for sign-off:publish, from any release-manager" in page.out
    assert "it does not answer: is a worker up?" in page.out
    assert mine["waiting"] is None
