"""What must agree between the tables of a `release.toml`, whatever version is released from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.project.announcer_rules import announcer_faults
from baton.project.builder_rules import builder_faults
from baton.project.people_rules import people_faults
from baton.project.platform_signing import platform_faults
from baton.project.problem import Fault
from baton.project.queue_rules import queue_faults
from baton.project.signing_rules import signing_faults
from baton.project.step_rules import step_faults

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from baton.project.schema import ReleaseFile, TargetTable


def faults_in(settings: ReleaseFile) -> Iterator[Fault]:
    """Everything in which the tables contradict each other."""
    yield from _streams(settings)
    yield from _unique_names(settings)
    yield from step_faults(settings)
    yield from builder_faults(settings)
    yield from platform_faults(settings)
    yield from queue_faults(settings)
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
