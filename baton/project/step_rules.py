"""What must agree between the steps of a `release.toml`, in every sort of release that can be made from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from baton.project.explain import near
from baton.project.problem import Fault
from baton.project.selection import occasions
from baton.project.step_tables import steps_on

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from baton.project.problem import Place
    from baton.project.schema import ReleaseFile
    from baton.project.selection import Occasion, SelectionTable
    from baton.project.step_tables import StepTable

Steps: TypeAlias = "Mapping[int, StepTable]"
"""The steps of one sort of release, by their positions in the file."""

TAKEN = frozenset({"plan", "prepare", "describe", "manifest", "verify", "push-tag", "evidence", "release-branch"})
"""What Baton's own units of work are called; a decision names a unit, so a step can't be called the same."""

TAKEN_BEGINNINGS = ("attest-", "check-", "sign-", "stage-", "promote-", "public-", "evidence-")
"""How the names of Baton's other units begin: with what is done, before the check, signer or target."""

BESIDE = (".sigstore.json", ".sigstore", ".asc", ".spdx.json")
"""What is appended to a file's name for what Baton puts beside it."""


def step_faults(settings: ReleaseFile) -> Iterator[Fault]:
    """Everything in which the steps contradict each other, the streams, or what Baton does itself."""
    yield from _names(settings.steps)
    yield from _agreement(settings.steps)
    yield from _selections(settings)
    sorts = [(occasion, steps_on(occasion, settings.steps)) for occasion in occasions(settings)]
    for occasion, steps in sorts:
        yield from _agreement_on(occasion, steps)
        yield from _file_names(steps)
    yield from _streams_without_files(settings, sorts)


def _names(steps: Sequence[StepTable]) -> Iterator[Fault]:
    for index, step in enumerate(steps):
        if step.name in TAKEN or step.name.startswith(TAKEN_BEGINNINGS):
            fact = f'found "{step.name}", which is a name of Baton\'s own work; take another'
            yield Fault(("steps", index, "name"), fact)


def _agreement(steps: Sequence[StepTable]) -> Iterator[Fault]:
    for index, step in enumerate(steps):
        others = [other.name for other in steps if other.name != step.name and other.agrees_with is None]
        if step.agrees_with is not None and step.agrees_with not in others:
            accepted = ", ".join(others) or "no other step releases files"
            fact = f'found "{step.agrees_with}"; accepted: {accepted}{near(step.agrees_with, others)}'
            yield Fault(("steps", index, "agrees-with"), fact)


def _agreement_on(occasion: Occasion, steps: Steps) -> Iterator[Fault]:
    releasing = {step.name: step for step in steps.values() if step.agrees_with is None}
    for index, step in steps.items():
        if step.agrees_with is None:
            continue
        place = ("steps", index, "agrees-with")
        other = releasing.get(step.agrees_with)
        if other is None:
            yield Fault(place, f"{step.agrees_with} is not built in {occasion}, where {step.name} is")
        elif different := sorted(set(step.files) ^ set(other.files)):
            fact = f"{step.name} and {other.name} have to make the same files; only one makes {', '.join(different)}"
            yield Fault(place, fact)


def _selections(settings: ReleaseFile) -> Iterator[Fault]:
    parts: list[tuple[Place, SelectionTable]] = [
        *((("steps", index), step) for index, step in enumerate(settings.steps)),
        *((("platform-signing", index), table) for index, table in enumerate(settings.platform_signing)),
        *((("checks", index), check) for index, check in enumerate(settings.checks)),
    ]
    for index, step in enumerate(settings.steps):
        for number, variant in enumerate(step.variants):
            place: Place = ("steps", index, "variants", number)
            parts.append((place, variant))
            if not variant.selects:
                yield Fault(place, "meant for every release; name its streams, statuses or kinds, or change the step")
    streams = list(settings.streams)
    for where, part in parts:
        for number, stream in enumerate(part.streams):
            if stream not in streams:
                fact = f'found "{stream}"; accepted: {", ".join(streams)}{near(stream, streams)}'
                yield Fault((*where, "streams", number), fact)


def _file_names(steps: Steps) -> Iterator[Fault]:
    released: dict[str, Place] = {}
    for index, step in steps.items():
        own: set[str] = set()
        for number, file in enumerate(step.files):
            place: Place = ("steps", index, "files", number)
            if file in own or (step.agrees_with is None and file in released):
                yield Fault(place, f'found "{file}" a second time; a release has one file of a name')
            own.add(file)
            if step.agrees_with is None:
                released.setdefault(file, place)
    for file, place in released.items():
        for beside in BESIDE:
            if file.endswith(beside) and file.removesuffix(beside) in released:
                yield Fault(place, f'found "{file}", which is what Baton makes beside "{file.removesuffix(beside)}"')


def _streams_without_files(settings: ReleaseFile, sorts: Sequence[tuple[Occasion, Steps]]) -> Iterator[Fault]:
    if all(step.agrees_with is not None for step in settings.steps):
        yield Fault(("steps",), "every step only agrees with another, so nothing would be released")
        return
    building = {
        occasion.stream for occasion, steps in sorts if any(step.agrees_with is None for step in steps.values())
    }
    for name in dict.fromkeys(occasion.stream for occasion, _ in sorts):
        if name not in building:
            yield Fault(("streams", name), "no step is meant for this stream, so nothing would be released from it")
