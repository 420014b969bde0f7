"""How the files of a manifest were made, by the records of the workers that made them and by what people signed.

A record counts only where it says what the plan says: the same step, the same builder, the same source.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from activities.hearing import read_plan
from activities.makings import DESCRIBE, MakingRecords
from activities.released import read_manifest
from baton.attestation.provenance import Context, Described, HandedIn, Origin, Rework
from baton.model.acts import Choice, Decision
from baton.model.code_signing import Notarization
from baton.model.envelope import read_envelope
from baton.model.errors import Missing, Refused
from baton.model.manifest import SBOM_SUFFIX, Artifact, ArtifactSet, SetRef
from baton.model.statement import act_of
from baton.proof.said import proven_act

if TYPE_CHECKING:
    from baton.model.acts import Act
    from baton.model.attesting import AttestFiles, Making
    from baton.model.base import Digest
    from baton.model.building import Step
    from baton.model.code_signing import PlatformStep
    from baton.model.manifest import ManifestFile
    from baton.model.roster import Roster
    from baton.proof import Sigstore
    from baton.store import Store


class Origins:
    """How each file of a manifest was made, as far as the plan and the workers' records prove it.

    Args:
        store: has the records.
        what: the files.
        roster: by which it is judged who handed files in.
        sigstore: whose certificates count for people.
    """

    def __init__(self, store: Store, what: AttestFiles, roster: Roster, sigstore: Sigstore) -> None:
        self._store = store
        self._what = what
        self._roster = roster
        self._sigstore = sigstore
        self._records = MakingRecords(store, what.release)
        self._plan = read_plan(store, what.release.plan)
        self._manifest = read_manifest(store, what.manifest)

    @property
    def release(self) -> Context:
        """The release that all of it is about."""
        return Context(self._what.release, self._plan, self._manifest.commit, self._what.manifest.digest)

    def all(self) -> list[tuple[ManifestFile, Origin]]:
        """Every file of the manifest, with how it was made.

        Raises:
            Refused: what is on record is not what the plan says, or a person's word for it is not proven.
            Missing: nothing on record says how a file was made.
        """
        self._records.require_prepared(self._plan.source, self._manifest.commit)
        found: list[tuple[ManifestFile, Origin]] = []
        for step in dict.fromkeys(file.step for file in self._manifest.files):
            files = [file for file in self._manifest.files if file.step == step]
            found += self._described(files) if step == DESCRIBE else self._made(step, files)
        return sorted(found, key=lambda one: one[0].name)

    def _made(self, step: str, files: list[ManifestFile]) -> list[tuple[ManifestFile, Origin]]:
        artifacts, reworkings = _set_of(files), []
        while (platform := next((one for one in self._plan.platform if one.name == step), None)) is not None:
            before = self._before(platform, artifacts)
            reworkings.append((platform, self._store.read_set(before)))
            step, artifacts = platform.of, before
        made = self._first(step, artifacts)
        return [(file, Origin(made, _reworks(file, reworkings))) for file in files]

    def _before(self, platform: PlatformStep, artifacts: Digest) -> Digest:
        """What a platform step was given; the same as it gave where it puts nothing into the files."""
        reworking = self._records.find_reworking(platform, artifacts)
        if reworking is not None and reworking.step == platform:
            return reworking.of
        if isinstance(platform.signing, Notarization):
            return artifacts
        raise Missing(f"nothing on record says what {platform.name} signed to get the files {artifacts}")

    def _first(self, step: str, artifacts: Digest) -> Making | HandedIn:
        planned = self._plan.step(step)
        if planned is None:
            raise Refused(f"the manifest has files of {step}, which is no step of the plan")
        commit, repository = self._manifest.commit, self._plan.source.repository
        making = self._records.find_making(planned, commit, artifacts)
        if making is not None:
            if (making.step, making.repository) != (planned, repository):
                raise Refused(f"on record, {step} was built otherwise than the plan says, or of {making.repository}")
            return making
        handed_in = self._handed_in(planned, artifacts)
        if handed_in is None:
            raise Missing(
                f"nothing on record says that {step} made the files {artifacts} of commit {commit}, and nobody handed "
                "them in"
            )
        return handed_in

    def _handed_in(self, step: Step, artifacts: Digest) -> HandedIn | None:
        for digest in self._what.decisions:
            envelope = read_envelope(self._store.read(digest))
            if not self._hands_in(act_of(envelope.payload), step, artifacts):
                continue
            act, proof = proven_act(envelope, self._roster, datetime.now(UTC), sigstore=self._sigstore)
            person = self._roster.find(act.by)
            if person is None or act.role != step.role or act.role not in person.roles:
                raise Refused(f"{act.by} handed the files of {step.name} in as {act.role}; who may is a {step.role}")
            return HandedIn(step, act.by, act.role, proof.credential, digest)
        return HandedIn(step, "somebody", step.role, None, None) if self._plan.unsigned_acts else None

    def _hands_in(self, act: Act, step: Step, artifacts: Digest) -> bool:
        """Whether somebody says that these are the files of this step, in this release, by this plan."""
        ref = self._what.release
        return (
            isinstance(act, Decision)
            and act.choice is Choice.PROVIDE
            and (act.release, act.run, act.subject) == (ref.release, ref.run, ref.plan)
            and (act.step, act.provided) == (step.name, artifacts)
        )

    def _described(self, documents: list[ManifestFile]) -> list[tuple[ManifestFile, Origin]]:
        others = [file for file in self._manifest.files if file.step != DESCRIBE]
        reworking = self._records.find_reworking(None, _set_of(documents))
        if reworking is None or reworking.of != _set_of(others):
            raise Missing("nothing on record says that the SPDX documents of the manifest describe its files")
        by_name = {f"{file.name}{SBOM_SUFFIX}": file for file in others}
        if strangers := sorted(document.name for document in documents if document.name not in by_name):
            raise Refused(f"{', '.join(strangers[:10])} describes no file of the manifest")
        return [(document, Origin(Described(by_name[document.name]))) for document in documents]


def _set_of(files: list[ManifestFile]) -> Digest:
    return SetRef.to(ArtifactSet.of([Artifact(name=f.name, digest=f.digest, size=f.size) for f in files])).digest


def _reworks(file: ManifestFile, reworkings: list[tuple[PlatformStep, ArtifactSet]]) -> tuple[Rework, ...]:
    """What was done to a file, the first first: of several steps those that changed it."""
    done, after = [], file.digest
    for step, given in reworkings:
        before = given.find(file.name)
        if before is None:
            raise Refused(f"{step.name} was not given {file.name}, which it is said to have made")
        if before.digest != after:
            done.append(Rework(step, before.digest))
        after = before.digest
    return tuple(reversed(done))
