"""The record of a release that anyone can check later without Temporal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activities.released import read_manifest
from activities.work import does
from baton.model import work
from baton.model.base import canonical_json
from baton.model.manifest import Artifact, ArtifactSet, SetRef

if TYPE_CHECKING:
    from baton.model.base import Value
    from baton.store import Store


class EvidenceActivities:
    """Writing the evidence into the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @does(work.WRITE_EVIDENCE)
    def write_evidence(self, what: work.WriteEvidence) -> SetRef:
        """Write the plan, the manifest, and the record of who did and agreed to what, each as canonical JSON."""
        documents = [
            self._write("plan.json", what.plan),
            self._write("manifest.json", read_manifest(self._store, what.manifest)),
            self._write("record.json", what),
        ]
        return self._store.put_set(ArtifactSet.of(documents))

    def _write(self, name: str, document: Value) -> Artifact:
        content = canonical_json(document)
        return Artifact(name=name, digest=self._store.put_bytes(content), size=len(content))
