"""The manifest itself, from the store: the list whose digest people sign, whatever the release tells of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.cli.stored_manifest import manifest_in, stored_manifest
from baton.model.errors import Refused

if TYPE_CHECKING:
    from baton.cli.place import Place
    from baton.model.base import Digest
    from baton.model.manifest import Manifest, ManifestRef
    from baton.model.plan import Plan
    from baton.store import Store


def listed_in_store(place: Place, plan: Plan, told: ManifestRef) -> bool:
    """Compare what a release tells of its manifest with the manifest of that digest.

    Args:
        place: where the store is.
        plan: which the manifest has to be of.
        told: what the release tells.

    Returns:
        Whether they are the same; False where no store is named here, or it does not have the manifest.

    Raises:
        Refused: they are not; nobody should agree to that.
    """
    manifest = stored_manifest(place, told)
    if manifest is None:
        return False
    _require_of_plan(manifest, plan, told.digest)
    return True


def read_listed(store: Store, plan: Plan, digest: Digest) -> Manifest:
    """A plan's manifest from the store.

    Raises:
        Missing: the store does not have it; BATON_STORE has to name the one that the workers use.
        Refused: what it has is no manifest, or one of another plan.
    """
    manifest = manifest_in(store, digest)
    _require_of_plan(manifest, plan, digest)
    return manifest


def _require_of_plan(manifest: Manifest, plan: Plan, digest: Digest) -> None:
    if manifest.plan != plan.digest:
        raise Refused(f"manifest {digest} is of plan {manifest.plan}; {plan.release} follows plan {plan.digest}")
