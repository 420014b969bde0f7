from __future__ import annotations

import os
import traceback
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from baton.model.errors import BatonError, Invalid, Missing, Refused, Unavailable
from baton.sandbox.fake_ci.azure_pipeline import Fault
from tests.builders.azure_world import CLIENT, TENANT, TOKEN, World, azure_world, ended

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from baton.model.outside import OutsideRun


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with azure_world(tmp_path_factory.mktemp("azure"), garbles=True) as world:
        yield world


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_TOKEN", TOKEN)
    monkeypatch.setenv("AZURE_SECRET", CLIENT[1])


@pytest.fixture
def run(world: World) -> OutsideRun:
    """One that has succeeded; all tests share it."""
    azure = world.pipelines()
    found = azure.dispatch(world.order("hello-1.0.0.run-1.windows.1", asked=datetime(2026, 1, 1, tzinfo=UTC)))
    ended(lambda: azure.look(found))
    return found


def told(error: pytest.ExceptionInfo[BatonError]) -> str:
    """The message, once it is clear that nothing else comes along that would tell a secret."""
    everything = "".join(traceback.format_exception(error.value, chain=True))
    assert TOKEN not in everything
    assert CLIENT[1] not in everything
    assert "sig=" not in everything
    assert error.value.__context__ is None or error.value.__suppress_context__
    return str(error.value)


@pytest.mark.parametrize("fault", [Fault.UNAUTHORIZED, Fault.SIGN_IN, Fault.REDIRECT])
def test_a_credential_that_is_accepted_no_longer_is_for_a_person(world: World, run: OutsideRun, fault: Fault) -> None:
    azure = world.pipelines()
    for act in (azure.look, azure.cancel, lambda _: azure.dispatch(world.order())):
        world.fault(fault)
        with pytest.raises(Refused) as error:
            act(run)
        assert "does not accept the credential in AZURE_TOKEN: look whether it has expired" in told(error)

    assert azure.look(run).line.endswith("succeeded in 2 stages")


def test_a_credential_without_the_permission_is_for_a_person(world: World, run: OutsideRun) -> None:
    azure, before = world.pipelines(), len(world.azure.runs.all(21))
    for act in (azure.look, azure.cancel, lambda _: azure.dispatch(world.order())):
        world.fault(Fault.FORBIDDEN)
        with pytest.raises(Refused, match="needs Queue builds permissions") as error:
            act(run)
        assert "whoever the credential in AZURE_TOKEN stands for has to be given the permission" in told(error)
    assert len(world.azure.runs.all(21)) == before


@pytest.mark.parametrize(
    ("fault", "says", "after"),
    [
        (Fault.THROTTLED, r"answers 429: TF400733: The request has been canceled", 27),
        (Fault.BROKEN, r"answers 503: Service Unavailable", None),
        (Fault.LAG, r"run 1 does not show yet", 10),
        (Fault.CUT_OFF, r"builds/1 answers what is not understood:  Invalid JSON", None),
    ],
)
def test_what_may_pass_is_tried_again_and_says_when(
    world: World, run: OutsideRun, fault: Fault, says: str, after: float | None
) -> None:
    world.fault(fault)

    with pytest.raises(Unavailable, match=says) as error:
        world.pipelines().look(run)

    told(error)
    assert error.value.after == after


def test_an_answer_of_another_form_is_for_a_person(world: World, run: OutsideRun) -> None:
    world.fault(Fault.GARBLED)

    with pytest.raises(Invalid, match=r"builds/1 answers what is not understood: id ") as error:
        world.pipelines().look(run)
    told(error)


def test_a_delay_that_azure_asks_for_is_kept(world: World, run: OutsideRun) -> None:
    world.fault(Fault.DELAYED)
    assert world.pipelines().look(run).look_again == 120


def test_a_run_that_is_not_there_after_minutes_is_gone(world: World, run: OutsideRun) -> None:
    old = run.model_copy(update={"dispatched": datetime.now(UTC) - timedelta(minutes=10)})
    world.fault(Fault.LAG)

    with pytest.raises(Missing, match="look whether it was deleted") as error:
        world.pipelines().look(old)
    told(error)


def test_a_run_that_does_not_show_at_once_is_not_started_again(world: World) -> None:
    order, before = world.order(), len(world.azure.runs.all(21))
    world.fault(Fault.LAG)

    with pytest.raises(Unavailable, match="was started and does not show yet") as error:
        world.pipelines().dispatch(order)

    told(error)
    assert error.value.after == 60
    run = world.pipelines().dispatch(order)
    assert len(world.azure.runs.all(21)) == before + 1
    assert world.found(run).tags == [f"baton-{order.key}"]


@pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.BROKEN, Fault.CUT_OFF, Fault.GARBLED, Fault.SIGN_IN])
def test_nothing_starts_while_azure_does_not_say_what_runs(world: World, fault: Fault) -> None:
    before = len(world.azure.runs.all(21))
    world.fault(fault)

    with pytest.raises(BatonError) as error:
        world.pipelines().dispatch(world.order(f"another-{fault.name}"))

    told(error)
    assert len(world.azure.runs.all(21)) == before


def test_a_worker_has_its_credential_in_a_variable_or_a_file_or_says_which_is_missing(
    world: World, run: OutsideRun, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    token = os.environ["AZURE_TOKEN"]
    monkeypatch.delenv("AZURE_TOKEN")
    with pytest.raises(Missing, match="neither AZURE_TOKEN nor AZURE_TOKEN_FILE"):
        world.pipelines().look(run)
    file = tmp_path / "token"
    file.write_text(f"{token}\n", encoding="ascii")
    monkeypatch.setenv("AZURE_TOKEN_FILE", str(file))
    assert world.pipelines().look(run).url == run.url


def test_an_application_of_entra_gets_its_token_itself(
    world: World, run: OutsideRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    entra = {
        "kind": "entra",
        "tenant": TENANT,
        "client": CLIENT[0],
        "secret_from": "AZURE_SECRET",
        "authority": world.azure.authority,
    }
    azure = world.pipelines(credential=entra)
    assert azure.look(run).state.ended

    monkeypatch.setenv("AZURE_SECRET", "an old secret")
    with pytest.raises(Refused, match=f"gives the application {CLIENT[0]} no token: 401 invalid_client") as error:
        azure.look(run)
    assert "an old secret" not in told(error)


def test_an_azure_that_is_not_there_is_unavailable(world: World, run: OutsideRun) -> None:
    with pytest.raises(Unavailable, match="could not be reached: ConnectError") as error:
        world.pipelines(organization="http://127.0.0.1:9/example").look(run)
    told(error)


@pytest.mark.parametrize(
    "changes",
    [
        {"organization": "http://dev.azure.com/example"},
        {"organization": "https://user:secret@dev.azure.com/example"},
        {"parameters": {"SourceTag": "{branch}"}},
        {"commit_in": "SourceTag"},
        {"artifacts": ["windows", "windows"]},
        {"credential": {"kind": "pat", "token": "the token itself"}},
    ],
)
def test_a_plan_that_can_not_work_is_no_plan(world: World, changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        world.builder(**changes)
