"""The names under which an activity's effect is remembered, so that doing it again finds it done."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from baton.model.base import Value, canonical_json
from baton.model.errors import Conflict, Invalid, Missing

if TYPE_CHECKING:
    from baton.model.base import Digest
    from baton.model.work import ReleaseRef
    from baton.store import Store

Kept = TypeVar("Kept", bound=Value)


class Records:
    """What activities of one run of a release have done, in the store.

    A record is content in the store, found by a name that belongs to the run: a new start of the same version begins
    with none, and so does a new plan for the same run; a reset of the same run finds what is there.
    """

    def __init__(self, store: Store, release: ReleaseRef) -> None:
        self._store = store
        plan = release.plan.removeprefix("sha256:")
        self._prefix = f"run/{release.release.project}/{release.release.version}/{release.run}/{plan}"

    def find(self, name: str, kind: type[Kept]) -> Kept | None:
        """The value that was recorded under this name, or None.

        Raises:
            Invalid: the record is there but can't be read.
        """
        digest = self.find_content(name)
        if digest is None:
            return None
        try:
            return kind.model_validate_json(self._store.read(digest))
        except ValueError as error:
            raise Invalid(f"the record {name} ({digest}) is not readable as {kind.__name__}") from error

    def keep(self, name: str, effect: Kept) -> Kept:
        """Record a value for good.

        If another try of the same activity has recorded its own effect meanwhile, that one stands and is returned.
        """
        self.keep_content(name, canonical_json(effect))
        return self.find(name, type(effect)) or effect

    def find_content(self, name: str) -> Digest | None:
        """The digest of the bytes that were recorded under this name, or None."""
        return self._store.recall(f"{self._prefix}/{name}")

    def require_content(self, name: str) -> Digest:
        """The digest of the bytes that were recorded under this name.

        Raises:
            Missing: nothing was.
        """
        digest = self.find_content(name)
        if digest is None:
            raise Missing(f"{self._prefix}/{name} is not recorded, though it was to be made before")
        return digest

    def keep_content(self, name: str, content: bytes) -> Digest:
        """Record bytes for good; returns the digest of what stands, which is the first that was recorded."""
        digest = self._store.put_bytes(content)
        try:
            self._store.remember(f"{self._prefix}/{name}", digest)
        except Conflict:
            first = self.find_content(name)
            if first is None:
                raise
            return first
        return digest

    def drop(self, name: str) -> None:
        """Forget a record; harmless if there is none."""
        self._store.forget(f"{self._prefix}/{name}")
