"""What must agree between the tables of a `release.toml`, whatever version is released from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.project.announcer_rules import announcer_faults
from baton.project.explain import near
from baton.project.people_rules import people_faults
from baton.project.problem import Fault
from baton.project.signing_rules import signing_faults

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from baton.project.problem import Place
    from baton.project.schema import ReleaseFile, StepTable, TargetTable

TAKEN = frozenset({"prepare", "describe", "manifest", "verify", "push-tag", "evidence"})
"""What Baton's own units of work are called; a decision names a unit, so a step can't be called the same."""

TAKEN_BEGINNINGS = ("check-", "sign-", "stage-", "promote-", "public-")
"""How the names of Baton's other units begin: with what is done, before the check, signer or target."""

BESIDE = (".sigstore.json", ".sigstore", ".asc", ".spdx.json")
"""What is appended to a file's name for what Baton puts beside it."""


def faults_in(settings: ReleaseFile) -> Iterator[Fault]:
    """Everything in which the tables contradict each other."""
    yield from _streams(settings)
    yield from _unique_names(settings)
    yield from _step_names(settings.steps)
    yield from _agreement(settings.steps)
    yield from _file_names(settings.steps)
    yield from people_faults(settings)
    yield from signing_faults(settings)
    yield from announcer_faults(settings.announcers)
    if not settings.project.sandbox:
        yield from _only_rehearsed(settings.targets)


def _only_rehearsed(targets: Sequence[TargetTable]) -> Iterator[Fault]:
    for index, target in enumerate(targets):
        if target.kind == "sandbox":
            yield Fault(("targets", index, "kind"), 'found "sandbox", which only counts where project.sandbox is true')


def _streams(settings: ReleaseFile) -> Iterator[Fault]:
    names = list(settings.streams)
    for name in names:
        for other in names:
            if name != other and _numbers(name)[: len(_numbers(other))] == _numbers(other):
                yield Fault(("streams", name), f"its versions belong to stream {other} as well; keep one of the two")
        stream = settings.streams[name]
        first, end = stream.first_release, stream.end_of_life
        if first is not None and end is not None and end <= first:
            yield Fault(("streams", name, "end-of-life"), f"found {end}, which is not after first-release {first}")


def _numbers(stream: str) -> tuple[int, ...]:
    return () if stream == "*" else tuple(int(part) for part in stream.split("."))


def _unique_names(settings: ReleaseFile) -> Iterator[Fault]:
    named: dict[str, list[tuple[str, str]]] = {
        "roster": [("id", person.id) for person in settings.roster],
        "steps": [("name", step.name) for step in settings.steps],
        "checks": [("name", check.name) for check in settings.checks],
        "gates": [("name", gate.name) for gate in settings.gates],
        "targets": [("name", target.name) for target in settings.targets],
        "announcers": [("name", announcer.name) for announcer in settings.announcers],
    }
    for array, names in named.items():
        first_at: dict[str, int] = {}
        for index, (key, name) in enumerate(names):
            first = first_at.setdefault(name, index)
            if first != index:
                yield Fault((array, index, key), f'found "{name}", which {array}[{first}] is called already')


def _step_names(steps: Sequence[StepTable]) -> Iterator[Fault]:
    for index, step in enumerate(steps):
        if step.name in TAKEN or step.name.startswith(TAKEN_BEGINNINGS):
            fact = f'found "{step.name}", which is a name of Baton\'s own work; take another'
            yield Fault(("steps", index, "name"), fact)


def _agreement(steps: Sequence[StepTable]) -> Iterator[Fault]:
    by_name = {step.name: step for step in steps}
    for index, step in enumerate(steps):
        if step.agrees_with is None:
            continue
        place = ("steps", index, "agrees-with")
        others = [name for name, other in by_name.items() if name != step.name and other.agrees_with is None]
        if step.agrees_with not in others:
            accepted = ", ".join(others) or "no other step releases files"
            yield Fault(place, f'found "{step.agrees_with}"; accepted: {accepted}{near(step.agrees_with, others)}')
            continue
        here, there = len(step.files), len(by_name[step.agrees_with].files)
        if here != there:
            yield Fault(place, f"{step.name} makes {here} files and {step.agrees_with} {there}; they can't be the same")
    if all(step.agrees_with is not None for step in steps):
        yield Fault(("steps",), "every step only agrees with another, so nothing would be released")


def _file_names(steps: Sequence[StepTable]) -> Iterator[Fault]:
    released: dict[str, Place] = {}
    for index, step in enumerate(steps):
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
