"""The manifest itself, from the store: the list whose digest people sign, whatever the release tells of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from baton.model.errors import BatonError, Refused
from baton.model.manifest import Manifest, ManifestRef
from baton.model.statement import facts_of
from baton.store import open_store

if TYPE_CHECKING:
    from baton.cli.place import Place
    from baton.model.base import Digest
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
    if place.world is None and "BATON_STORE" not in os.environ:
        return False
    store = open_store(place.store)
    try:
        store.read(told.digest)
    except BatonError:
        return False
    if ManifestRef.to(read_listed(store, plan, told.digest)) != told:
        raise Refused(f"the release tells of other files than manifest {told.digest} in the store lists: do not agree")
    return True


def read_listed(store: Store, plan: Plan, digest: Digest) -> Manifest:
    """A plan's manifest from the store.

    Raises:
        Missing: the store does not have it; BATON_STORE has to name the one that the workers use.
        Refused: what it has is no manifest, or one of another plan.
    """
    content = store.read(digest)
    try:
        manifest = Manifest.model_validate_json(content)
    except ValueError as error:
        raise Refused(f"what the store has as {digest} is no manifest: {facts_of(error)}") from error
    if manifest.plan != plan.digest:
        raise Refused(f"manifest {digest} is of plan {manifest.plan}; {plan.release} follows plan {plan.digest}")
    return manifest
