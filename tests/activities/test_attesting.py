"""What a signing worker states of how files were made, and what somebody may have it believe who writes to Temporal."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from activities.attesting import AttestActivities
from activities.makings import MakingRecords
from activities.mandate import Mandate
from activities.origins import Origins
from baton.attestation.provenance import Described, HandedIn, Rework
from baton.model.acts import Choice, Decision
from baton.model.attesting import AttestFiles, AttestRelease, Making, Reworking
from baton.model.base import canonical_json
from baton.model.errors import BatonError, Missing, Refused
from baton.model.manifest import Artifact, ArtifactSet, Manifest, ManifestFile, ManifestRef, SetRef
from baton.model.signing import SigstoreSigner
from baton.model.statement import statement_of
from baton.proof import seal
from tests.activities.agreed import COMMIT, RUN, World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from baton.attestation.provenance import Origin
    from baton.model.plan import Plan

REPOSITORY = "https://git.example/hello.git"
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
WITHIN = """
[[platform-signing]]
name = "signed"
of = "source"
files = ["hello.tar.gz"]
queue = "sign-macos"
signing = { kind = "apple-codesign", identity = "Developer ID Application: Hello (ABCDE12345)" }
"""


class Made:
    """A release whose one file somebody has made, and what the workers have put on record of that."""

    def __init__(self, world: World, plan: Plan) -> None:
        self.world = world
        self.plan = plan
        self.ref = world.ref(plan)
        self.manifest = world.manifest(plan)
        self.records = MakingRecords(world.store, self.ref)
        self.files = [Artifact(**file.model_dump()) for file in self.manifest.preview]
        self.decisions: list[str] = []

    @property
    def set(self) -> str:
        return self.put(*self.files)

    def put(self, *files: Artifact) -> str:
        return self.world.store.put_set(ArtifactSet.of(list(files))).digest

    def file(self, name: str, content: bytes) -> Artifact:
        return Artifact(name=name, digest=self.world.store.put_bytes(content), size=len(content))

    def record(self, **changes: Any) -> None:
        """What the build worker does."""
        facts = {
            "step": self.plan.steps[0],
            "repository": REPOSITORY,
            "commit": COMMIT,
            "artifacts": self.set,
            "by": "a machine",
            "attempt": 1,
            "started": NOW,
            "finished": NOW,
        }
        self.records.keep_making(Making.model_validate({**facts, **changes}))

    def hand_in(self, by: str = "grace", *, signer: str | None = None, **changes: Any) -> None:
        """What a person does; the workflow tells of its envelope."""
        facts = {
            "release": self.plan.release,
            "run": RUN,
            "subject": self.ref.plan,
            "by": by,
            "role": "release-manager",
            "at": datetime.now(UTC),
            "nonce": "0" * 32,
            "step": "source",
            "attempt": 1,
            "choice": Choice.PROVIDE,
            "provided": self.set,
        }
        act = Decision.model_validate({**facts, **changes})
        self.decisions.append(
            self.world.store.put_bytes(seal(statement_of(act), self.world.keys[signer or by]).encode())
        )

    def list_files(self, *files: ManifestFile, commit: str = COMMIT) -> None:
        manifest = Manifest(
            project="hello",
            version=self.plan.release.version,
            plan=self.ref.plan,
            commit=commit,
            files=tuple(sorted(files, key=lambda file: file.name)),
        )
        self.world.store.put_bytes(canonical_json(manifest))
        self.manifest = ManifestRef.to(manifest)

    def asked(self, **changes: Any) -> AttestFiles:
        (signer,) = self.plan.signers
        assert isinstance(signer, SigstoreSigner)
        facts = {
            "release": self.ref,
            "signer": signer,
            "manifest": self.manifest,
            "decisions": tuple(self.decisions),
            "gates": self.world.passed(self.plan, self.manifest),
        }
        return AttestFiles.model_validate({**facts, **changes})

    def origins(self) -> dict[str, Origin]:
        mandate, what = Mandate(self.world.store, self.world.settings), self.asked()
        roster = mandate.to_attest(what)
        found = Origins(self.world.store, what, roster, mandate.sigstore).all()
        return {file.name: origin for file, origin in found}

    def refused(self, match: str, kind: type[BatonError] = Refused) -> None:
        with pytest.raises(kind, match=match):
            self.origins()


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world whose people's keys all others have, too: making keys takes a while."""
    return World.make(tmp_path_factory.mktemp("people"))


@pytest.fixture
def made(people: World, tmp_path: Path) -> Made:
    world = replace(people, folder=tmp_path)
    world.served.mkdir()
    world.write_rules()
    return Made(world, world.plan())


def replanned(made: Made, **changes: Any) -> Made:
    """The same world with other rules, and so another plan."""
    made.world.write_rules(**changes)
    return Made(made.world, made.world.plan())


def test_what_the_builder_of_the_plan_made_of_the_plans_commit_is_stated(made: Made) -> None:
    made.record()
    making = made.origins()["hello.tar.gz"].made
    assert isinstance(making, Making)
    assert (making.by, making.commit) == ("a machine", COMMIT)


def test_files_that_nobody_made_are_not(made: Made) -> None:
    made.refused("nothing on record says that source made the files", Missing)


# Each is on record by a worker that somebody had do what the plan does not say.
@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"repository": "https://evil.example/hello.git"}, "built otherwise than the plan says"),
        ({"commit": "d" * 40}, "nothing on record says"),
        ({"artifacts": "sha256:" + "0" * 64}, "nothing on record says"),
    ],
)
def test_what_was_made_of_something_else_is_not(made: Made, changes: dict[str, Any], match: str) -> None:
    made.record(**changes)
    with pytest.raises(BatonError, match=match):
        made.origins()


def test_what_another_builder_made_is_not(made: Made) -> None:
    builder = {"kind": "command", "commands": [["curl", "https://evil.example"]]}
    made.record(step={**made.plan.steps[0].model_dump(), "builder": builder})
    made.refused("built otherwise than the plan says")


def test_a_manifest_of_another_commit_is_not(made: Made) -> None:
    made.record()
    made.list_files(*[ManifestFile(**file.model_dump(), step="source") for file in made.files], commit="d" * 40)
    made.refused(f"this is of commit {'d' * 40}; the plan releases {COMMIT}")


def test_files_of_a_step_that_is_not_planned_are_not(made: Made) -> None:
    made.list_files(*[ManifestFile(**file.model_dump(), step="other") for file in made.files])
    made.refused("which is no step of the plan")


def test_a_prepared_commit_counts_where_preparing_the_plans_commit_gave_it(made: Made) -> None:
    made = replanned(made, changes={"[streams": 'prepare = [["make", "prepare"]]\n\n[streams'})
    made.record()
    made.refused("nothing on record says that commit")
    made.records.keep_prepared(made.plan.source, COMMIT)
    assert made.origins()


def test_what_a_person_handed_in_is_stated_as_theirs(made: Made) -> None:
    made.hand_in()
    origin = made.origins()["hello.tar.gz"].made
    assert isinstance(origin, HandedIn)
    assert (origin.by, origin.envelope) == ("grace", made.decisions[0])
    assert origin.credential is not None
    assert origin.credential.startswith("ssh")


@pytest.mark.parametrize(
    ("hand_in", "match"),
    [
        (lambda made: made.hand_in(signer="mallory"), "which the roster lists for nobody"),
        (lambda made: made.hand_in(run="another-run"), "nothing on record"),
        (lambda made: made.hand_in(subject="sha256:" + "0" * 64), "nothing on record"),
        (lambda made: made.hand_in(step="other"), "nothing on record"),
        (lambda made: made.hand_in(provided="sha256:" + "0" * 64), "nothing on record"),
        (lambda made: made.hand_in(choice="retry", provided=None), "nothing on record"),
        (lambda made: made.hand_in(role="windows-expert"), "who may is a release-manager"),
    ],
)
def test_what_nobody_handed_in_for_this_is_not(made: Made, hand_in: Callable[[Made], None], match: str) -> None:
    hand_in(made)
    with pytest.raises(BatonError, match=match):
        made.origins()


def test_what_was_signed_inside_tells_what_it_was_before(made: Made) -> None:
    made = replanned(made, changes={"[[steps]]": WITHIN + "\n[[steps]]"})
    (platform,) = made.plan.platform
    before, after = made.files[0], made.file("hello.tar.gz", b"signed hello")
    made.record()
    made.list_files(ManifestFile(**after.model_dump(), step="signed"))
    made.refused("nothing on record says what signed signed", Missing)
    reworking = Reworking(step=platform, of=made.put(before), artifacts=made.put(after))
    made.records.keep_reworking(reworking)
    origin = made.origins()["hello.tar.gz"]
    assert isinstance(origin.made, Making)
    assert origin.reworked == (Rework(platform, before.digest),)


def test_documents_that_baton_made_name_the_file_that_they_describe(made: Made) -> None:
    made.record()
    document = made.file("hello.tar.gz.spdx.json", b"{}")
    files = [ManifestFile(**file.model_dump(), step="source") for file in made.files]
    made.list_files(*files, ManifestFile(**document.model_dump(), step="describe"))
    made.refused("nothing on record says that the SPDX documents", Missing)
    described = SetRef.to(ArtifactSet.of(made.files)).digest
    made.records.keep_reworking(Reworking(step=None, of=described, artifacts=made.put(document)))
    assert made.origins()["hello.tar.gz.spdx.json"].made == Described(files[0])


def test_nothing_is_stated_before_people_agreed(made: Made) -> None:
    made.record()
    attest = AttestActivities(made.world.store, made.world.settings)
    with pytest.raises(Refused, match="has not been opened"):
        attest.attest_files(made.asked(gates=()))
    gates = tuple(gate for gate in made.asked().gates if gate.gate != "files")
    what = made.asked()
    release = AttestRelease(release=what.release, signer=what.signer, manifest=what.manifest, gates=gates)
    with pytest.raises(Refused, match="gate files has not been opened"):
        attest.attest_release(release)


def test_nobody_else_is_had_to_state_it(made: Made) -> None:
    made.record()
    identity = {"identity": "https://evil.example/machine", "issuer": "https://issuer.example.org"}
    signer = {"kind": "sigstore", "instance": "public", "identity": identity}
    with pytest.raises(Refused, match="signer that is asked for is none of"):
        AttestActivities(made.world.store, made.world.settings).attest_files(made.asked(signer=signer))
