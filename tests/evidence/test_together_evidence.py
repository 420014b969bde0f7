"""The evidence of one stream of a security release: that people agreed to exactly it, as part of the whole."""

from __future__ import annotations

import copy
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from baton.evidence.acts import envelope_path
from baton.evidence.folder import read_folder, write
from baton.evidence.gather import gather
from baton.evidence.own import own_rules
from baton.evidence.together import agreed_together
from baton.evidence.verify import compared
from baton.model.base import canonical_json
from baton.model.evidence import Record
from baton.model.gate import GateResult, Given
from baton.model.manifest import Artifact, ArtifactSet
from baton.model.plan import JOINT_GATE
from baton.model.security import JointManifest, JointStream, new_security_id
from baton.model.status import Phase, Published
from baton.model.work import Built
from baton.project.read import read_project
from baton.project.security import barrier_of, behind
from baton.proof.holders import name_of
from tests.activities.agreed import COMMIT, RUN, World, sign_off
from tests.proof.conftest import NO_SIGSTORE

if TYPE_CHECKING:
    from pathlib import Path

    from baton.evidence.result import Check
    from baton.model.acts import SignOff
    from baton.model.manifest import ManifestRef
    from baton.model.plan import Plan

SECURITY = "[security]\nneeds = {{ release-manager = {needed} }}\nstarter-counts = false\n\n[signing]\n"
PARENT = "the-security-release's-run"
OTHER = "sha256:" + "0" * 64
HOUR = timedelta(hours=1)


class Stream:
    """One stream whose people agreed to all streams at once, as it tells at its end or as somebody forged it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.security = new_security_id("hello")
        self.opened = datetime.now(UTC) - HOUR
        self.plan = self.behind(needed=2)
        self.manifest = world.manifest(self.plan)
        self.joint = self.ships()
        self.told: GateResult | None = self.gate(self.joint)

    def behind(self, *, needed: int) -> Plan:
        self.world.write_rules(changes={"[signing]\n": SECURITY.format(needed=needed)})
        project = read_project(self.world.rules)
        made = behind(project, self.world.plan(), barrier_of(project, self.security))
        return made.model_copy(update={"gates": ()})

    def ships(self, **changes: Any) -> JointManifest:
        """What people are asked to agree to, another stream with it; in the store."""
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
        """The joint gate as it is told, with sign-offs that people really made, or made otherwise."""
        asked = GateResult(
            gate=JOINT_GATE,
            attempt=1,
            run=PARENT,
            subject=joint.digest,
            needs={"release-manager": 2},
            excluded=("ada",),
            opened=self.opened,
        )
        said = {"release": self.security, "run": PARENT, **changes}
        acts = [sign_off(self.plan, by, asked, **said) for by in people or ("grace", "katherine")]
        given = tuple(self.given(act) for act in acts)
        return asked.model_copy(update={"given": given, "passed_at": datetime.now(UTC)})

    def given(self, act: SignOff) -> Given:
        given = self.world.given(act)
        assert given.proof is not None
        named = name_of(self.world.keys[act.by].credential)
        return given.model_copy(update={"proof": given.proof.model_copy(update={"credential": named})})

    def record(self, manifest: ManifestRef, **facts: Any) -> Record:
        """What the stream tells at its end; people said nothing to the stream itself."""
        store, plan = self.world.store, self.plan
        file = Artifact(name="hello.tar.gz", digest=store.put_bytes(b"hello"), size=5)
        url = "https://downloads.example/hello/1.0.0/"
        told = {
            "release": plan.release,
            "run": RUN,
            "sandbox": plan.sandbox,
            "plan": self.world.ref(plan).plan,
            "phase": Phase.ANNOUNCE,
            "complete": True,
            "at": datetime.now(UTC),
            "manifest": manifest.digest,
            "built": (Built(step="source", commit=COMMIT, artifacts=store.put_set(ArtifactSet.of([file]))),),
            "signed": self.world.signed(plan),
            "attested": self.world.attested(plan),
            "attestation": file,
            "steps": (),
            "gates": (),
            "joint": self.told,
            "published": (Published(target="downloads", url=url, checked=3),),
            "journal": (),
        }
        return Record(**{**told, **facts})

    def leave(self, folder: Path, **facts: Any) -> Path:
        return write(gather(self.record(self.manifest, **facts), [], self.world.store.read), folder)

    def faults(self, folder: Path, **facts: Any) -> list[str]:
        return faults(self.leave(folder, **facts))


def checks(path: Path, rules: Path | None = None) -> list[Check]:
    """Everything but who signed the list, which needs a worker with a key."""
    folder, found = read_folder(path)
    own = None if rules is None else own_rules(rules, folder)
    roster = None if own is None else own.roster
    found += compared(folder, [], own=own)
    return [*found, *agreed_together(folder, folder.plan, [], own=roster, sigstore=NO_SIGSTORE)]


def faults(path: Path, rules: Path | None = None) -> list[str]:
    return [f"{check.subject}: {check.fact}" for check in checks(path, rules) if not check.ok]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Stream:
    """Made once: people's keys take their time."""
    return Stream(World.make(tmp_path_factory.mktemp("together")))


@pytest.fixture
def stream(made: Stream) -> Stream:
    return copy.copy(made)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "evidence"


def test_one_streams_evidence_proves_that_people_agreed_to_it_with_the_others(stream: Stream, folder: Path) -> None:
    stream.leave(folder)
    assert faults(folder) == []
    (agreed,) = [check.fact for check in checks(folder) if check.subject == "gate joint"]
    assert f"of {stream.security}, asked about {stream.joint.digest}, 2 streams, this one among them" in agreed
    assert "grace as release-manager" in agreed
    assert "katherine as release-manager" in agreed


def test_the_page_says_what_went_public_together_and_who_agreed(stream: Stream, folder: Path) -> None:
    page = (stream.leave(folder) / "index.html").read_text()
    assert f"<code>{stream.security.security}</code> for GHSA-1" in page
    assert '<th scope="row">2.0.0</th>' in page
    assert 'what all streams ship: <a href="joint.json">joint.json</a>' in page
    assert "katherine as release-manager" in page.replace(' <span class="soft">(katherine)</span>', "")


def test_what_anybody_changes_in_it_is_found(stream: Stream, folder: Path) -> None:
    stream.leave(folder)
    (folder / "joint.json").write_bytes(canonical_json(stream.ships(advisory="GHSA-2")))
    assert [check.subject for check in read_folder(folder)[1] if not check.ok] == ["joint.json"]


def test_what_was_known_under_way_leaves_nothing_behind_that_is_not_so_any_more(stream: Stream, folder: Path) -> None:
    stream.leave(folder, complete=False)
    stream.leave(folder, complete=False, joint=None)
    assert faults(folder) == []


def test_a_stream_that_went_public_without_the_joint_gate_is_found(stream: Stream, folder: Path) -> None:
    stream.told = None
    (fault,) = stream.faults(folder)
    assert f"gate joint: of {stream.security} is not told of, so that nobody agreed" in fault


def test_a_joint_gate_of_a_release_that_goes_alone_is_found(stream: Stream, folder: Path) -> None:
    stream.plan = stream.world.plan()
    stream.manifest = stream.world.manifest(stream.plan)
    assert "gate joint: is told of, but the plan belongs to no security release" in stream.faults(folder)


@pytest.mark.parametrize("field", ["commit", "manifest", "plan", "version"])
def test_agreement_to_other_streams_is_none_to_this(stream: Stream, folder: Path, field: str) -> None:
    value = {"commit": "f" * 40, "version": "3.0.0"}.get(field, OTHER)
    ours, other = stream.joint.streams
    stream.told = stream.gate(stream.ships(streams=(ours.model_copy(update={field: value}), other)))
    (fault,) = stream.faults(folder)
    assert f"people agreed to {'nothing' if field == 'version' else 'manifest'}" in fault


def test_the_agreement_to_another_security_release_is_none_to_this(stream: Stream, folder: Path) -> None:
    stream.told = stream.gate(stream.ships(release=new_security_id("hello")))
    assert any("1.0.0 is of hello security/" in fault for fault in stream.faults(folder))


def test_a_joint_manifest_that_nobody_was_asked_about_is_found(stream: Stream, folder: Path) -> None:
    assert stream.told is not None
    other = stream.ships(advisory="GHSA-2")
    stream.told = stream.told.model_copy(update={"subject": other.digest})
    assert any("gate joint asks about" in fault for fault in stream.faults(folder))


def test_a_missing_statement_is_found(stream: Stream, folder: Path) -> None:
    stream.leave(folder)
    assert stream.told is not None
    (missing, _) = [given.proof.envelope for given in stream.told.given if given.proof is not None]
    (folder / envelope_path(missing)).unlink()
    assert any("lacks the envelope" in fault for fault in faults(folder))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"subject": OTHER}, "names 000000000000; gate joint"),
        ({"run": "another"}, "names run another"),
        ({"run": RUN}, "names run first-run"),
        ({"attempt": 2}, "is for attempt 2"),
        ({"gate": "files"}, "is in truth .*of gate files"),
    ],
)
def test_statements_about_something_else_prove_nothing(
    stream: Stream, folder: Path, changes: dict[str, Any], match: str
) -> None:
    stream.told = stream.gate(stream.joint, **changes)
    (fault,) = stream.faults(folder)
    assert re.search(match, fault)


@pytest.mark.parametrize(
    ("people", "found"),
    [
        (("grace",), "has 1 of 2 sign-offs"),
        (("grace", "grace"), "has 1 of 2 sign-offs"),
        (("ada", "grace"), "ada started or planned this release"),
        (("grace", "mallory"), "mallory is not on the roster"),
    ],
)
def test_too_few_people_are_found(stream: Stream, folder: Path, people: tuple[str, ...], found: str) -> None:
    stream.told = stream.gate(stream.joint, *people)
    (fault,) = stream.faults(folder)
    assert found in fault


def test_what_nobody_signed_proves_nothing(stream: Stream, folder: Path) -> None:
    assert stream.told is not None
    nobody = tuple(one.model_copy(update={"proof": None}) for one in stream.told.given)
    stream.told = stream.told.model_copy(update={"given": nobody})
    (fault,) = stream.faults(folder)
    assert "nothing proves that grace signed off gate joint" in fault


def test_a_gate_that_opened_before_the_embargo_was_over_is_found(stream: Stream, folder: Path) -> None:
    stream.told = stream.gate(stream.ships(until=datetime.now(UTC) + HOUR))
    (fault,) = stream.faults(folder)
    assert "before the embargo ended at" in fault
    stream.told = stream.gate(stream.ships(until=datetime.now(UTC) - HOUR))
    assert stream.faults(folder) == []


@pytest.mark.parametrize(
    ("fact", "value", "found"),
    [
        ("run", "other", "has run other"),
        ("needs", {"release-manager": 1}, "has needs"),
        ("excluded", (), "has excluded ()"),
        ("passed_at", None, "did not pass"),
        ("passed_at", datetime(2026, 1, 1, tzinfo=UTC), "is not between"),
        ("given", (), "has 0 of 2 sign-offs"),
    ],
)
def test_a_gate_that_is_told_otherwise_than_people_signed_is_found(
    stream: Stream, folder: Path, fact: str, value: object, found: str
) -> None:
    assert stream.told is not None
    stream.told = stream.told.model_copy(update={fact: value})
    assert any(found in fault for fault in stream.faults(folder))


def test_the_verifiers_own_rules_say_what_the_barrier_is_and_who_counts(stream: Stream, folder: Path) -> None:
    stream.leave(folder)
    rules = stream.world.rules
    assert [fault for fault in faults(folder, rules) if "gates" not in fault] == []
    stream.behind(needed=1)
    assert f"plan: its barrier are not those of {rules}" in faults(folder, rules)
    changes = {"[signing]\n": SECURITY.format(needed=2)}
    stream.world.write_rules("ada", "grace", "mallory", changes=changes)
    assert any("katherine is not on the roster" in fault for fault in faults(folder, rules))
