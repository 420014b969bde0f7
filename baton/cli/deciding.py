"""Deciding about a step that could not finish, and handing in what a step should make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from baton.cli.act_page import act_page
from baton.cli.layout import block, files_table
from baton.cli.names import parse_release
from baton.cli.person import RELEASE_MANAGER, fitting_roles
from baton.cli.speech import Question, speak
from baton.cli.standing import find_standing
from baton.cli.terminal import notes
from baton.model.acts import Choice, Decision
from baton.model.errors import Invalid, Missing, Refused
from baton.model.manifest import ArtifactSet, SetRef
from baton.model.status import StepState
from baton.store import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import RenderableType

    from baton.cli.place import Place
    from baton.cli.speech import Manner, Speaker
    from baton.model.plan import Plan
    from baton.model.status import ReleaseStatus, StepStatus
    from baton.store import Store


def decide_about(
    place: Place,
    text: str,
    step: str,
    *,
    choice: Choice,
    files: Sequence[Path],
    speaker: Speaker,
    manner: Manner,
) -> None:
    """Send a decision about a step, with the files that take its place if they are handed in.

    Args:
        place: where the release and the store are.
        text: the release as it was typed.
        step: the step's name.
        choice: what is to be done about it.
        files: with ``provide``, what the step should have made.
        speaker: who decides.
        manner: how.

    Raises:
        typer.Exit: they thought better of it, or the release did not accept it.
        BatonError: the step waits for no such decision, the files are not the step's, or no answer came.
    """
    release = parse_release(text)
    standing = find_standing(place, release, unanswered=False)
    plan, status = standing.plan, standing.status
    assert status is not None  # noqa: S101  # it answered
    waiting = undecided(status, step, choice)
    person = speaker.on(plan.roster)
    role = fitting_roles(person, deciders(waiting, choice), speaker.role, what=f"step {step}")[0]
    check_files(plan, step, choice, files)
    provided = _put(open_store(place.store), files) if choice is Choice.PROVIDE else None
    decision = Decision(
        release=release,
        step=step,
        attempt=waiting.attempt,
        run=standing.run,
        subject=standing.subject,
        choice=choice,
        by=person.id,
        role=role,
        reason=speaker.reason,
        provided=None if provided is None else SetRef.to(provided).digest,
    )
    # Another attempt does no harm; the others change what is released.
    asks = "" if choice is Choice.RETRY else f"{choice.capitalize()} {step} of {release} as {person.id}, {role}?"
    speak(
        place, plan, decision, Question(_page(plan, decision, waiting, provided), asks), speaker=speaker, manner=manner
    )


def _page(plan: Plan, decision: Decision, step: StepStatus, provided: ArtifactSet | None) -> RenderableType:
    facts = [(f"attempt {step.attempt}", step.detail), *([("see", step.link)] if step.link else [])]
    if provided is None:
        return act_page(plan, decision, facts)
    files = files_table(provided.artifacts, len(provided.artifacts))
    facts.append(("hands in", decision.provided or ""))
    return act_page(plan, decision, facts, more=[block("These files take its place", files)])


def deciders(step: StepStatus, choice: Choice) -> tuple[str, ...]:
    """The roles that may decide so: whoever hands files in answers for what that platform's people make."""
    return (step.role,) if choice is Choice.PROVIDE else tuple(dict.fromkeys((step.role, RELEASE_MANAGER)))


def undecided(status: ReleaseStatus, name: str, choice: Choice) -> StepStatus:
    """The step that waits for this decision.

    Raises:
        Missing: there is no such step.
        Refused: it waits for none, or this one is not possible.
    """
    step = next((step for step in status.steps if step.name == name), None)
    if step is None:
        raise Missing(f"{status.release} has no step {name}; steps: {', '.join(step.name for step in status.steps)}")
    if step.state is not StepState.NEEDS_DECISION:
        raise Refused(f"step {name} of {status.release} waits for no decision: it is {step.state}")
    if choice not in step.choices:
        raise Refused(f"{choice} is not possible for {name}; possible: {', '.join(step.choices)}")
    return step


def check_files(plan: Plan, name: str, choice: Choice, files: Sequence[Path]) -> None:
    """Require that what is handed in is exactly what the step should have made, by name.

    Raises:
        Invalid: it is not.
    """
    if choice is not Choice.PROVIDE:
        if files:
            raise Invalid(f"files are handed in with the choice provide, not with {choice}")
        return
    step = plan.step(name)
    expected = sorted(step.files) if step is not None else []
    came = sorted(file.name for file in files)
    if came != expected:
        raise Invalid(f"step {name} makes {', '.join(expected)}; handed in: {', '.join(came) or 'nothing'}")


def _put(store: Store, files: Sequence[Path]) -> ArtifactSet:
    """Put the files and their list into the store, with progress for whoever watches."""
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(binary_units=True), TransferSpeedColumn(),
        console=notes(), transient=True,
    )  # fmt: skip
    artifacts = []
    with bar:
        for file in files:
            task = bar.add_task(file.name, total=file.stat().st_size if file.is_file() else None)
            # The bar is redrawn by its own thread; telling it costs nothing.
            artifacts.append(store.put_file(file, progress=lambda done, task=task: bar.update(task, completed=done)))  # type: ignore[misc]  # mypy infers no lambda with defaults
    provided = ArtifactSet.of(artifacts)
    store.put_set(provided)
    return provided
