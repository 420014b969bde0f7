"""One duty for each task queue: a worker that polls it offers what its duty needs, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.project.builder_tables import CommandBuilderTable, HandedInBuilderTable
from baton.project.platform_tables import NotarizationTable
from baton.project.problem import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baton.project.problem import Place
    from baton.project.schema import ReleaseFile

_RELEASE, _BUILD, _CI, _SIGN, _PUBLISH = "release", "build", "ci", "sign", "publish"
"""The duties of ``worker.py``."""


def queue_faults(settings: ReleaseFile) -> Iterator[Fault]:
    """Queues that would need workers of two duties, each of which would take work that it can't do."""
    first: dict[str, tuple[str, str]] = {}
    for place, queue, duty in _uses(settings):
        told, what = first.setdefault(queue, (duty, _in_words(place)))
        if told != duty:
            yield Fault(
                place,
                f'found "{queue}", which {what} gives the duty {told}; this takes workers of the duty {duty}: '
                "name another queue",
            )


def _uses(settings: ReleaseFile) -> Iterator[tuple[Place, str, str]]:
    """Each place that names a queue, the queue, and the duty that its workers need."""
    yield ("project", "queue"), settings.project.queue, _RELEASE
    for index, step in enumerate(settings.steps):
        match step.builder:
            case CommandBuilderTable():
                yield ("steps", index, "queue"), step.queue, _BUILD
            case HandedInBuilderTable():
                # Nobody's machine does anything.
                continue
            case _:
                yield ("steps", index, "queue"), step.queue, _CI
    for index, check in enumerate(settings.checks):
        yield ("checks", index, "queue"), check.queue, _BUILD
    for index, signing in enumerate(settings.platform_signing):
        yield ("platform-signing", index, "queue"), signing.queue, _SIGN
        if isinstance(signing.signing, NotarizationTable):
            yield ("platform-signing", index, "signing", "queue"), signing.signing.queue, _SIGN
    for index, target in enumerate(settings.targets):
        yield ("targets", index, "queue"), target.queue, _PUBLISH


def _in_words(place: Place) -> str:
    table, *index, _ = place
    return f"{table}[{index[0]}]" if index else f"{table}"
