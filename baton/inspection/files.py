"""Inspect all files of a step."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from baton.inspection.archive import inspect_archive
from baton.inspection.result import Finding, Inspection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from baton.model.manifest import ArtifactSet
    from baton.model.plan import ArchiveLimits
    from baton.store import Store


def inspect_files(
    artifacts: ArtifactSet, expected: Iterable[str], *, store: Store, scratch: Path, limits: ArchiveLimits
) -> Inspection:
    """Compare the files with the names that are expected, and look into every archive among them.

    Args:
        artifacts: what was built or handed in.
        expected: exactly the names that there should be.
        store: where the content is.
        scratch: a folder for one file at a time.
        limits: what an archive may hold.

    Raises:
        Missing: the store has lost content.
        Conflict: content in the store is damaged.
        Unavailable: something could not be read just now.
    """
    findings = compare_names(expected, (artifact.name for artifact in artifacts.artifacts))
    archives = 0
    scratch.mkdir(parents=True, exist_ok=True)
    for artifact in artifacts.artifacts:
        with TemporaryDirectory(dir=scratch) as folder:
            path = Path(folder) / artifact.name
            store.fetch(artifact.digest, path)
            found = inspect_archive(path, limits)
        if found is not None:
            archives += 1
            findings += found
    return Inspection(files=len(artifacts.artifacts), archives=archives, findings=tuple(findings))


def compare_names(expected: Iterable[str], there: Iterable[str]) -> list[Finding]:
    """A finding for each name that is missing and each that nobody expected."""
    wanted, came = set(expected), set(there)
    return [Finding(name, "is missing: the plan expects it") for name in sorted(wanted - came)] + [
        Finding(name, "is not expected: add it to the plan's files, or do not make it")
        for name in sorted(came - wanted)
    ]
