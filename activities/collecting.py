"""Collecting: what steps made or people handed in is inspected, compared, described and listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio import activity

from activities.makings import MakingRecords
from activities.work import does, progress
from baton import sbom
from baton.builders.workspace import Workspace
from baton.inspection import inspect_files
from baton.inspection.compare import Different, keep_report
from baton.model import work
from baton.model.attesting import Reworking
from baton.model.base import canonical_json
from baton.model.errors import Missing, Refused
from baton.model.manifest import SBOM_SUFFIX, ArtifactSet, Manifest, ManifestFile, ManifestRef, SetRef

if TYPE_CHECKING:
    from collections.abc import Mapping

    from baton.model.base import Digest
    from baton.model.manifest import Artifact
    from baton.settings import WorkerSettings
    from baton.store import Store


_COMPARING = 480
"""Seconds for telling how files differ; less than the activity's own time, so that what is known by then is told."""


class CollectActivities:
    """What happens to files between the builders and the signers."""

    def __init__(self, store: Store, settings: WorkerSettings) -> None:
        self._store = store
        self._settings = settings

    @does(work.TAKE_PROVIDED)
    def take_provided(self, what: work.ProvidedStep) -> work.Built:
        """Take an artifact set that a person put into the store; every file of it must be there."""
        artifacts = self._store.read_set(what.provided)
        for artifact in artifacts.artifacts:
            if not self._store.has(artifact.digest):
                raise Missing(
                    f"{artifact.name} ({artifact.digest}) was handed in for {what.step.name}, but is not in the store: "
                    "hand it in again with `baton decide`"
                )
        return work.Built(
            step=what.step.name,
            commit=what.source.commit,
            artifacts=SetRef.to(artifacts),
            builder="handed in",
        )

    @does(work.INSPECT_STEP)
    def inspect_step(self, what: work.InspectStep) -> work.Inspected:
        """Check the commit, the expected files, and that every archive is safe to open."""
        if what.commit != what.expected:
            raise Refused(
                f"{what.step.name} was built from commit {what.commit}; expected {what.expected}: build it again"
            )
        inspection = inspect_files(
            self._store.read_set(what.artifacts),
            what.step.files,
            store=self._store,
            scratch=self._settings.workspace,
            limits=what.limits,
        )
        inspection.require()
        return work.Inspected(files=inspection.files, archives=inspection.archives)

    @does(work.COMPARE_STEPS)
    def compare_steps(self, what: work.CompareSteps) -> work.Agreed:
        """Require the same names and digests from two steps."""
        first, second = (self._store.read_set(built.artifacts) for built in (what.first, what.second))
        ours = {artifact.name: artifact for artifact in first.artifacts}
        theirs = {artifact.name: artifact for artifact in second.artifacts}
        differences = [
            _difference(name, ours.get(name), theirs.get(name), what)
            for name in sorted(ours.keys() | theirs.keys())
            if ours.get(name) != theirs.get(name)
        ]
        if differences:
            said = f"{what.first.step} and {what.second.step} made different bytes: " + "; ".join(differences)
            raise Different(said, log=self._report(ours, theirs))
        return work.Agreed(files=len(ours))

    def _report(self, ours: Mapping[str, Artifact], theirs: Mapping[str, Artifact]) -> Digest:
        pairs = [
            (ours[name], theirs[name]) for name in sorted(ours.keys() & theirs.keys()) if ours[name] != theirs[name]
        ]
        workspace = Workspace(self._settings.workspace, self._store)
        with workspace.bench(
            "compare", timeout=_COMPARING, progress=progress(), cancelled=activity.is_cancelled
        ) as bench:
            return keep_report(pairs, bench)

    @does(work.DESCRIBE_FILES)
    def describe_files(self, what: work.DescribeFiles) -> SetRef:
        """Make an SPDX document for each file; the same files always give the same documents."""
        artifacts = [file for built in what.built for file in self._store.read_set(built.artifacts).artifacts]
        documents = sbom.describe_files(
            artifacts,
            release=what.release.release,
            source=what.source,
            store=self._store,
            scratch=self._settings.workspace,
        )
        made, described = self._store.put_set(documents), SetRef.to(ArtifactSet.of(artifacts))
        MakingRecords(self._store, what.release).keep_reworking(
            Reworking(step=None, of=described.digest, artifacts=made.digest)
        )
        return made

    @does(work.MAKE_MANIFEST)
    def make_manifest(self, what: work.MakeManifest) -> ManifestRef:
        """List every file, once."""
        files: list[ManifestFile] = []
        if what.sboms is not None:
            described = self._store.read_set(what.sboms).artifacts
            files += [ManifestFile(**artifact.model_dump(), step="describe") for artifact in described]
        for built in what.built:
            made = self._store.read_set(built.artifacts).artifacts
            files += [ManifestFile(**artifact.model_dump(), step=built.step) for artifact in made]
        names = {file.name for file in files}
        manifest = Manifest(
            project=what.release.release.project,
            version=what.release.release.version,
            plan=what.release.plan,
            commit=what.source.commit,
            files=tuple(_with_sbom(file, names) for file in sorted(files, key=lambda file: file.name)),
        )
        self._store.put_bytes(canonical_json(manifest))
        return ManifestRef.to(manifest)


def _with_sbom(file: ManifestFile, names: set[str]) -> ManifestFile:
    """Name the document that describes a file, whether Baton or the file's own build made it."""
    document = f"{file.name}{SBOM_SUFFIX}"
    return file.model_copy(update={"sbom": document}) if document in names else file


def _difference(name: str, ours: Artifact | None, theirs: Artifact | None, what: work.CompareSteps) -> str:
    if ours is None:
        return f"{name} only from {what.second.step}"
    if theirs is None:
        return f"{name} only from {what.first.step}"
    return f"{name} is {ours.digest} and {theirs.digest}"
