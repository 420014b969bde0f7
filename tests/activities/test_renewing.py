"""Workers that are asked to sign anew what is public, as it should be and as somebody forged it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from activities.mandate import Mandate
from activities.publishing import PublishActivities
from activities.renewing import RenewActivities
from activities.work import Progress, _progress
from baton.model import renewing, work
from baton.model.attesting import PROVENANCE_SUFFIX
from baton.model.base import canonical_json, digest_of
from baton.model.errors import BatonError, Conflict, Invalid, Refused
from baton.model.evidence import INDEX, Evidence
from baton.model.manifest import Artifact, ArtifactSet
from baton.model.resigning import OldSignatures, PublicFile, Resigning
from baton.model.version import Purpose
from baton.project.read import read_project
from baton.project.resigning import resolve_to_sign_anew
from tests.activities.agreed import COMMIT, RUN, World

if TYPE_CHECKING:
    from pathlib import Path

    from baton.model.gate import GateResult
    from baton.model.plan import Plan

BUNDLE = "hello.tar.gz.sigstore.json"
LIST = Resigning(files=(PublicFile(name="hello.tar.gz", digest=digest_of(b"hello")),), dated="2026-11-23")


@dataclass
class Asking:
    """A version that is public, and what the workers are asked to do with it."""

    world: World
    plan: Plan
    gates: tuple[GateResult, ...] = ()

    @classmethod
    def of(cls, world: World, resigning: Resigning = LIST, **changes: object) -> Asking:
        plan = resolve_to_sign_anew(
            read_project(world.rules), "1.0.0", COMMIT, started_by="ada", sandbox=None, resigning=resigning
        )
        asking = cls(world, plan.model_validate({**plan.model_dump(by_alias=True), **changes}))
        asking.gates = world.passed(asking.plan, world.manifest(asking.plan))
        return asking

    def sign(self) -> None:
        world = self.world
        what = work.SignFiles(
            release=world.ref(self.plan),
            signer=self.plan.signers[0],
            manifest=world.manifest(self.plan),
            gates=self.gates,
        )
        Mandate(world.store, world.settings).to_sign(what)

    def renew(self, old: bytes = b"old") -> renewing.Renewed:
        world, manifest = self.world, self.world.manifest(self.plan)
        before = Artifact(name=BUNDLE, digest=digest_of(old), size=len(old))
        stock = renewing.Stock(target="downloads", manifest=manifest, old=world.store.put_set(ArtifactSet.of([before])))
        what = renewing.Renew(
            release=world.ref(self.plan),
            target=self.plan.targets[0],
            manifest=manifest,
            signed=world.signed(self.plan),
            gates=self.gates,
            stock=stock,
        )
        return RenewActivities(world.store, world.settings).renew_signatures(what)

    def publish(self, what: str) -> object:
        world = self.world
        asked = work.Publish(
            release=world.ref(self.plan),
            target=self.plan.targets[0],
            manifest=world.manifest(self.plan),
            signed=world.signed(self.plan),
            gates=self.gates,
        )
        return getattr(PublishActivities(world.store, world.settings), what)(asked)


@pytest.fixture
def world(tmp_path: Path) -> World:
    _progress.set(Progress())
    world = World.make(tmp_path)
    public = world.served / "hello/1.0.0"
    public.mkdir(parents=True)
    (public / "hello.tar.gz").write_bytes(b"hello")
    (public / BUNDLE).write_bytes(b"old")
    return world


def shown(world: World) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (world.served / "hello/1.0.0").iterdir()}


BEFORE = {"hello.tar.gz": b"hello", BUNDLE: b"old"}


@pytest.mark.parametrize("old", OldSignatures)
def test_what_people_agreed_to_is_signed_and_its_signatures_change(world: World, old: OldSignatures) -> None:
    asking = Asking.of(world, LIST.model_copy(update={"old": old}))
    asking.sign()
    for _ in range(2):
        made = asking.renew()
        assert (made.signatures, made.kept) == (1, int(old is OldSignatures.KEEP))
        kept = {"hello.tar.gz.sigstore.2026-11-23.json": b"old"} if old is OldSignatures.KEEP else {}
        assert shown(world) == {"hello.tar.gz": b"hello", BUNDLE: BUNDLE.encode(), **kept}


def test_what_was_stated_of_the_release_stays_beside_its_files(world: World) -> None:
    stated = f"hello.tar.gz{PROVENANCE_SUFFIX}"
    evidence = world.served / "hello/evidence/1.0.0"
    evidence.mkdir(parents=True)
    (world.served / "hello/1.0.0" / stated).write_bytes(b"how it was made")
    (evidence / INDEX).write_bytes(b"who agreed")
    Asking.of(world).renew()
    assert shown(world)[stated] == b"how it was made"
    assert (shown(world)[BUNDLE], (evidence / INDEX).read_bytes()) == (BUNDLE.encode(), b"who agreed")


@pytest.mark.parametrize("beside", [BUNDLE, f"hello.tar.gz{PROVENANCE_SUFFIX}"])
def test_what_stands_beside_a_file_is_no_file_to_sign(world: World, beside: str) -> None:
    files = (*LIST.files, PublicFile(name=beside, digest=digest_of(b"old")))
    asking = Asking.of(world, LIST.model_copy(update={"files": files}))
    what = renewing.TakeStock(release=world.ref(asking.plan), target=asking.plan.targets[0])
    with pytest.raises(Invalid, match=f"{beside}: listed as files.* leave both out"):
        RenewActivities(world.store, world.settings).take_stock(what)


def test_a_list_that_nobody_agreed_to_is_not_signed(world: World) -> None:
    asking = Asking.of(world)
    assert [gate.name for gate in asking.plan.gates] == ["files-files", "files"]
    asking.gates = asking.gates[1:]
    with pytest.raises(Refused, match="gate files-files has not been opened"):
        asking.sign()
    with pytest.raises(Refused, match="gate files-files has not been opened"):
        asking.renew()
    assert shown(world) == BEFORE


def test_a_plan_that_leaves_a_gate_out_is_not_followed(world: World) -> None:
    [files] = [gate.model_dump() for gate in Asking.of(world).plan.gates if gate.name == "files"]
    forged = Asking.of(world, gates=[files])
    for act in (forged.sign, forged.renew):
        with pytest.raises(Refused, match="the plan's gates are not those of"):
            act()
    assert shown(world) == BEFORE


def test_what_people_said_to_a_release_counts_for_no_new_signatures(world: World) -> None:
    asking, released = Asking.of(world), world.plan()
    told = world.passed(released, world.manifest(released))
    asking.gates = (told[-1].model_copy(update={"gate": "files-files"}), told[-1])
    with pytest.raises(Refused, match=r"does not count|is in truth"):
        asking.sign()
    asking.gates = (Asking.of(world).gates[0], told[-1])
    with pytest.raises(Refused, match="does not count"):
        asking.renew()
    assert shown(world) == BEFORE


@pytest.mark.parametrize("act", ["stage", "promote"])
def test_signing_anew_publishes_no_files(world: World, act: str) -> None:
    with pytest.raises(Refused, match="is to resign, and this is done to release alone"):
        Asking.of(world).publish(act)


def test_a_release_replaces_no_signatures(world: World) -> None:
    released = Asking(world, world.plan())
    released.gates = world.passed(released.plan, world.manifest(released.plan))
    with pytest.raises(Refused, match="is to release, and this is done to resign alone"):
        released.renew()
    assert shown(world) == BEFORE


def test_signatures_that_were_changed_since_are_not_replaced(world: World) -> None:
    with pytest.raises(Conflict, match=BUNDLE):
        Asking.of(world).renew(old=b"what was there when people were asked")
    assert shown(world) == BEFORE


@pytest.mark.parametrize("changes", [{"version": "1.0.1"}, {"purpose": Purpose.RESIGN}])
def test_the_evidence_of_something_else_vouches_for_nothing(world: World, changes: dict[str, str]) -> None:
    plan = world.plan()
    listed = Evidence(
        release=plan.release.model_copy(update=changes),
        run=RUN,
        sandbox=False,
        plan=world.ref(plan).plan,
        manifest=world.manifest(plan).digest,
        complete=True,
        at=datetime.now(UTC),
        acts=0,
        head=plan.digest,
        documents=(),
    )
    index = Artifact(name=INDEX, digest=world.store.put_bytes(canonical_json(listed)), size=len(canonical_json(listed)))
    evidence = world.store.put_set(ArtifactSet.of([index])).digest
    asking = Asking.of(world, Resigning(evidence=evidence, dated="2026-11-23"))
    assert [gate.name for gate in asking.plan.gates] == ["files"]
    with pytest.raises(BatonError, match=r"expected the complete evidence of hello 1\.0\.0"):
        asking.sign()
