"""A manifest from the store, where one is at hand."""

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
    from baton.store import Store


def stored_manifest(place: Place, told: ManifestRef) -> Manifest | None:
    """The manifest that a release tells of, as the store has it.

    Args:
        place: where the store is.
        told: what the release tells.

    Returns:
        The manifest; None where no store is named here, or it does not have it.

    Raises:
        Refused: what the store has is no manifest, or another one than the release tells; nobody should agree to that.
    """
    if place.world is None and "BATON_STORE" not in os.environ:
        return None
    store = open_store(place.store)
    try:
        store.read(told.digest)
    except BatonError:
        return None
    manifest = manifest_in(store, told.digest)
    if ManifestRef.to(manifest) != told:
        raise Refused(f"the release tells of other files than manifest {told.digest} in the store lists: do not agree")
    return manifest


def manifest_in(store: Store, digest: Digest) -> Manifest:
    """A manifest by its digest.

    Raises:
        Missing: the store does not have it; BATON_STORE has to name the one that the workers use.
        Refused: what it has is no manifest.
    """
    content = store.read(digest)
    try:
        return Manifest.model_validate_json(content)
    except ValueError as error:
        raise Refused(f"what the store has as {digest} is no manifest: {facts_of(error)}") from error
