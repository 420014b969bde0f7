"""Workers that hold secrets, and one of several streams behind a barrier, as it is or as somebody forged it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import rfc8785

from activities.mandate import Mandate
from activities.publishing import PublishActivities
from activities.signing import SignActivities
from activities.work import Progress, _progress
from baton.model import work
from baton.model.base import canonical_json
from baton.model.errors import BatonError, Unavailable
from baton.model.gate import GateResult
from baton.model.plan import JOINT_GATE, SignWhen
from baton.model.security import JointManifest, JointStream, new_security_id
from baton.project.read import read_project
from baton.project.security import barrier_of, behind
from tests.activities.agreed import COMMIT, RUN, World, sign_off

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from baton.model.plan import Plan
    from baton.model.version import SecurityId

SECURITY = "[security]\nneeds = { release-manager = 2 }\nstarter-counts = false\n"
PARENT = "the-security-release's-run"
PUBLIC, PRIVATE = "https://git.example/hello.git", "https://git.example/private.git"
OTHER = "sha256:" + "0" * 64


class Stream:
    """One stream of a security release that people have agreed to, as its workers are asked to act on it."""

    def __init__(self, world: World, security: SecurityId, **changes: Any) -> None:
        self.world = world
        self.security = security
        self.plan = self.behind(world.plan(), **changes)
        self.manifest = world.manifest(self.plan)
        self.signed = world.signed(self.plan)
        self.own = world.passed(self.plan, self.manifest)
        self.joint = self.ships()
        self.told = (*self.own, self.gate(self.joint))

    def behind(self, plan: Plan, **changes: Any) -> Plan:
        project = read_project(self.world.rules)
        made = behind(project, plan, barrier_of(project, self.security))
        return made.model_validate({**made.model_dump(by_alias=True), **changes})

    def ships(self, **changes: Any) -> JointManifest:
        """What people are asked to agree to, another stream's files with it; in the store."""
        ours = JointStream(
            version=self.plan.version,
            commit=self.plan.source.commit,
            manifest=self.manifest.digest,
            plan=self.world.ref(self.plan).plan,
        )
        facts = {
            "release": self.security,
            "run": PARENT,
            "advisory": "GHSA-1",
            "streams": (ours, ours.model_copy(update={"version": "2.0.0"})),
        }
        joint = JointManifest.model_validate({**facts, **changes})
        self.world.store.put_bytes(canonical_json(joint))
        return joint

    def gate(self, joint: JointManifest, *people: str, **changes: Any) -> GateResult:
        """The joint gate as the workflow tells it, with sign-offs that people really made, or made otherwise."""
        now = datetime.now(UTC)
        asked = GateResult(
            gate=JOINT_GATE,
            attempt=1,
            run=PARENT,
            subject=joint.digest,
            needs={"release-manager": 2},
            opened=now,
            passed_at=now,
        )
        said = {"release": self.security, "run": PARENT, **changes}
        acts = [sign_off(self.plan, by, asked, **said) for by in people or ("grace", "katherine")]
        return asked.model_copy(update={"given": tuple(self.world.given(act) for act in acts)})

    def agreed_to(self, joint: JointManifest, *people: str, **changes: Any) -> None:
        self.told = (*self.own, self.gate(joint, *people, **changes))

    def sign(self) -> object:
        what = work.SignFiles(
            release=self.world.ref(self.plan), signer=self.plan.signers[0], manifest=self.manifest, gates=self.told
        )
        return SignActivities(self.world.store, self.world.settings).sign_files(what)

    def may_sign(self) -> None:
        what = work.SignFiles(
            release=self.world.ref(self.plan), signer=self.plan.signers[0], manifest=self.manifest, gates=self.told
        )
        Mandate(self.world.store, self.world.settings).to_sign(what)

    def stage(self) -> object:
        return self._publishing.stage(self._publish(self.signed))

    def stage_files(self) -> object:
        return self._publishing.stage(self._publish(()))

    def promote(self) -> object:
        return self._publishing.promote(self._publish(self.signed))

    @property
    def _publishing(self) -> PublishActivities:
        return PublishActivities(self.world.store, self.world.settings)

    def _publish(self, signed: tuple[work.Signed, ...]) -> work.Publish:
        return work.Publish(
            release=self.world.ref(self.plan),
            target=self.plan.targets[0],
            manifest=self.manifest,
            signed=signed,
            attested=self.world.attested(self.plan) if signed else None,
            gates=self.told,
        )

    def refused(self, match: str, *acts: Callable[[], object]) -> None:
        for act in acts or (self.sign, self.stage, self.promote):
            with pytest.raises(BatonError, match=match) as refusal:
                act()
            assert refusal.value.permanent
        assert not list(self.world.served.iterdir())


@pytest.fixture
def world(tmp_path: Path) -> World:
    _progress.set(Progress())
    world = World.make(tmp_path)
    rules(world)
    return world


@pytest.fixture
def stream(world: World) -> Stream:
    return Stream(world, new_security_id("hello"))


def rules(world: World, **changes: str) -> None:
    """The workers' own release.toml, with rules for security releases."""
    text = SECURITY
    for old, new in changes.items():
        text = text.replace(old, new)
    world.write_rules(changes={"[signing]\n": f"{text}\n[signing]\n"})


def test_what_people_agreed_to_for_all_streams_is_signed_and_published(stream: Stream, world: World) -> None:
    stream.stage_files()
    stream.may_sign()
    stream.stage()
    stream.promote()
    assert {file.name for file in (world.served / "hello/1.0.0").iterdir()} == {
        "hello.tar.gz",
        "hello.tar.gz.provenance.sigstore.json",
        "hello.tar.gz.sigstore.json",
    }


def test_a_fix_is_built_from_where_it_is_private_and_its_tag_goes_nowhere_but_to_the_public(world: World) -> None:
    rules(world, starter=f'repository = "{PRIVATE}"\nstarter')
    stream = Stream(world, new_security_id("hello"))
    planned = stream.plan.source
    assert (planned.repository, planned.push_to) == (PRIVATE, PUBLIC)
    mandate, release = Mandate(world.store, world.settings), world.ref(stream.plan)
    mandate.to_prepare(work.PrepareSource(release=release, source=planned, attempt=1))

    def push(repository: str) -> None:
        source = work.Source(repository=repository, commit=COMMIT, tag=planned.tag, bundle=OTHER, epoch=1)
        what = work.PushTag(release=release, source=source, manifest=stream.manifest, gates=stream.told)
        mandate.to_push_tag(what)

    push(PUBLIC)
    stream.refused("1.0.0 of https://git.example/private.git is asked for", lambda: push(PRIVATE))
    stream.told = stream.own
    stream.refused("gate joint of .* has not passed", lambda: push(PUBLIC))
    rules(world)
    prepare = work.PrepareSource(release=release, source=planned, attempt=2)
    stream.refused("the plan's source's repository and source's push_to", lambda: mandate.to_prepare(prepare))


def test_files_are_staged_before_the_barrier_and_nothing_else_is_done(stream: Stream) -> None:
    stream.told = stream.own
    stream.stage_files()
    stream.refused("gate joint of .* has not passed")
    stream.told = ()
    stream.refused("gate commit has not been opened", stream.stage_files)


def test_the_gates_before_the_build_stay_with_each_stream(stream: Stream) -> None:
    assert [gate.gate for gate in stream.own] == ["commit"]
    stream.told = (stream.gate(stream.joint),)
    stream.refused("gate commit has not been opened")


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"subject": OTHER}, "names 000000000000; gate joint"),
        ({"run": "another"}, "names run another"),
        ({"run": RUN}, "names run first-run"),
        ({"attempt": 2}, "is for attempt 2"),
        ({"gate": "files"}, "is in truth .* of gate files"),
        ({"role": "windows-expert"}, "does not hold the role"),
    ],
)
def test_sign_offs_of_something_else_move_no_worker(stream: Stream, changes: dict[str, Any], match: str) -> None:
    stream.agreed_to(stream.joint, **changes)
    stream.refused(match)


@pytest.mark.parametrize(
    ("people", "match"),
    [
        (("grace",), "has 1 of 2 sign-offs"),
        (("grace", "grace"), "has 1 of 2 sign-offs"),
        (("ada", "grace"), "ada started or planned this release"),
        (("grace", "mallory"), "mallory is not on the roster"),
    ],
)
def test_too_few_people_move_no_worker(stream: Stream, people: tuple[str, ...], match: str) -> None:
    stream.agreed_to(stream.joint, *people)
    stream.refused(match)


def test_what_nobody_signed_moves_no_worker(stream: Stream) -> None:
    gate = stream.gate(stream.joint)
    nobody = tuple(one.model_copy(update={"proof": None}) for one in gate.given)
    stream.told = (*stream.own, gate.model_copy(update={"given": nobody}))
    stream.refused("nothing proves that grace signed off gate joint")


def test_agreement_to_other_files_is_none_to_these(stream: Stream, world: World) -> None:
    stream.manifest = world.manifest(stream.plan, b"something else")
    stream.refused("people agreed to manifest .* for hello 1.0.0; this is manifest")


@pytest.mark.parametrize("field", ["commit", "manifest", "plan"])
def test_the_joint_manifest_names_what_is_in_hand(stream: Stream, field: str) -> None:
    value = "f" * 40 if field == "commit" else OTHER
    other = stream.joint.streams[0].model_copy(update={field: value})
    stream.agreed_to(stream.ships(streams=(other,)))
    stream.refused("people agreed to manifest")


def test_a_stream_that_was_taken_out_is_none_of_those_agreed_to(stream: Stream) -> None:
    stream.agreed_to(stream.ships(streams=stream.joint.streams[1:]))
    stream.refused("people agreed to nothing for hello 1.0.0")


def test_the_agreement_of_another_security_release_does_not_count(stream: Stream) -> None:
    stream.agreed_to(stream.ships(release=new_security_id("hello")))
    stream.refused("is what hello security/.* ships; hello 1.0.0 is of")


def test_what_is_no_joint_manifest_is_not_taken_for_one(stream: Stream, world: World) -> None:
    written = rfc8785.dumps({**stream.joint.model_dump(mode="json"), "note": "more"})
    gate = stream.gate(stream.joint)
    for content in (b"{}", written, stream.joint.model_dump_json(indent=1).encode()):
        digest = world.store.put_bytes(content)
        stream.told = (*stream.own, gate.model_copy(update={"subject": digest}))
        stream.refused("is no joint manifest|not in canonical JSON")


def test_before_the_embargo_is_over_nothing_is_signed_or_public(stream: Stream) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    stream.agreed_to(stream.ships(until=soon))
    stream.refused("the embargo ends at .*: nothing is signed or public before")
    stream.agreed_to(stream.ships(until=datetime.now(UTC) - timedelta(hours=1)))
    stream.may_sign()


def test_a_clock_that_is_a_little_late_has_a_worker_try_again_and_nobody_decide(stream: Stream) -> None:
    stream.agreed_to(stream.ships(until=datetime.now(UTC) + timedelta(minutes=1)))
    with pytest.raises(Unavailable, match="the embargo ends at"):
        stream.may_sign()


@pytest.mark.parametrize(
    ("old", "new"), [("release-manager = 2", "release-manager = 1"), ("false\n", 'false\nsign = "early"\n')]
)
def test_the_workers_own_rules_say_what_the_barrier_is(stream: Stream, world: World, old: str, new: str) -> None:
    rules(world, **{old: new})
    stream.refused("the plan's barrier are not those of .*release.toml on this worker")


def test_a_worker_without_rules_for_security_releases_does_nothing(stream: Stream, world: World) -> None:
    world.write_rules()
    stream.refused(r"has no table \[security\]")


def test_a_plan_gets_out_from_behind_no_barrier(stream: Stream, world: World) -> None:
    """The same release without the barrier has the project's own gates before publishing again."""
    alone = Stream(world, stream.security, barrier=None)
    alone.told = stream.told
    alone.refused("the plan's gates are not those of")


def test_signed_early_it_is_signed_before_the_barrier_and_not_public(world: World) -> None:
    rules(world, **{"false\n": 'false\nsign = "early"\n'})
    early = Stream(world, new_security_id("hello"))
    assert early.plan.barrier is not None
    assert early.plan.barrier.sign is SignWhen.EARLY
    early.told = early.own
    early.may_sign()
    early.stage()
    early.refused("gate joint of .* has not passed", early.promote)
    assert early.plan.source.commit == COMMIT
