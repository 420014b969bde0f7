"""What a stream released last, and what is different now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.version import Version as Pep440

from baton.cli.stored_manifest import stored_manifest
from baton.model.errors import BatonError
from baton.model.status import Phase
from baton.model.version import ReleaseId

if TYPE_CHECKING:
    from collections.abc import Mapping

    from baton.cli.names import StreamId
    from baton.cli.place import Place
    from baton.cli.releases import Releases
    from baton.model.manifest import Manifest, ManifestRef
    from baton.model.plan import Plan

_NOTABLE = 0.1
"""From which part of its size on a file's growing or shrinking is worth a line."""


@dataclass(frozen=True)
class Before:
    """The release before this one in the same stream.

    Attributes:
        told: its manifest as its release tells it.
        listed: the manifest itself; None if the store here does not have it.
    """

    version: str
    told: ManifestRef
    listed: Manifest | None


@dataclass(frozen=True)
class Difference:
    """What is different from the release before; files are matched by their names without the version.

    Attributes:
        resized: files whose size changed notably, each with its bytes before and now.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    resized: tuple[tuple[str, int, int], ...]


async def last_release(releases: Releases, place: Place, plan: Plan) -> Before | None:
    """What the plan's stream released last before this version, by what Temporal remembers; None if nothing.

    Raises:
        BatonError: the releases could not be listed.
    """
    ours = Pep440(plan.version)
    found: Before | None = None
    for named in await releases.finished(plan.release.project):
        if isinstance(named, ReleaseId) and not plan.stream.holds(named.version):
            continue
        status = await _status(releases, named)
        if status is None or status[0] != plan.stream.name:
            continue
        _, version, told = status
        if Pep440(version) < ours and (found is None or Pep440(version) > Pep440(found.version)):
            found = Before(version, told, None)
    return None if found is None else Before(found.version, found.told, _listed(place, found.told))


async def _status(releases: Releases, named: ReleaseId | StreamId) -> tuple[str, str, ManifestRef] | None:
    """A finished release's stream, version and manifest; None of one that can't be read any more."""
    try:
        handle = await releases.securities.stream(named.workflow_id)
        status = None if handle is None else await handle.status()
    except BatonError:
        return None
    if status is None or status.phase is not Phase.RELEASED or status.manifest is None:
        return None
    return status.stream, status.release.version, status.manifest


def _listed(place: Place, told: ManifestRef) -> Manifest | None:
    try:
        return stored_manifest(place, told)
    except BatonError:
        return None


def difference(now: Manifest, before: Manifest) -> Difference:
    """What is different between two releases of one stream."""
    new, old = _sizes(now), _sizes(before)
    return Difference(
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        resized=tuple(
            (name, old[name], new[name])
            for name in sorted(new.keys() & old.keys())
            if abs(new[name] - old[name]) > _NOTABLE * max(old[name], 1)
        ),
    )


def _sizes(manifest: Manifest) -> Mapping[str, int]:
    return {file.name.replace(manifest.version, "VERSION"): file.size for file in manifest.files}
