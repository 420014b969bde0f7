"""Workers that hold secrets, and what somebody may tell them who can write whatever they like to Temporal."""

from __future__ import annotations

import base64
import json
import os
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from activities.duties import Duty, activities_for
from activities.mandate import Mandate
from activities.publishing import PublishActivities
from activities.signing import SignActivities
from activities.work import Progress, _progress
from baton.model import work
from baton.model.acts import Rejection
from baton.model.errors import BatonError
from baton.model.gate import Given
from baton.model.platform import SignPlatform
from baton.settings import WorkerSettings
from tests.activities.agreed import COMMIT, World, sign_off

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from baton.model.code_signing import PlatformStep
    from baton.model.gate import GateResult
    from baton.model.plan import Plan

    Forgery = Callable[[World, Plan, GateResult], GateResult]

WITHIN = """
[[platform-signing]]
name = "signed"
of = "source"
files = ["hello.tar.gz"]
queue = "sign-macos"
signing = { kind = "apple-codesign", identity = "Developer ID Application: Hello (ABCDE12345)" }
"""

OTHER = "sha256:" + "0" * 64


class Asking:
    """What the workers are asked to do with a release, as it should be or as somebody forged it."""

    def __init__(self, world: World, plan: Plan) -> None:
        self.world = world
        self.settings = world.settings
        self.plan = plan
        self.manifest = world.manifest(plan)
        self.gates = world.passed(plan, self.manifest)
        self.signed = world.signed(plan)
        self.attested = world.attested(plan)
        self.signer, self.target = plan.signers[0], plan.targets[0]

    def replace(self, gate: str, forgery: Forgery) -> None:
        self.gates = tuple(
            forgery(self.world, self.plan, result) if result.gate == gate else result for result in self.gates
        )

    def signing(self) -> work.SignFiles:
        release = self.world.ref(self.plan)
        return work.SignFiles(release=release, signer=self.signer, manifest=self.manifest, gates=self.gates)

    def sign(self) -> object:
        return SignActivities(self.world.store, self.settings).sign_files(self.signing())

    def stage(self) -> object:
        return self._publishing.stage(self._publish())

    def promote(self) -> object:
        return self._publishing.promote(self._publish())

    def unstage(self) -> object:
        what = work.WithdrawStaging(release=self.world.ref(self.plan), target=self.target)
        return self._publishing.unstage(what)

    @property
    def _publishing(self) -> PublishActivities:
        return PublishActivities(self.world.store, self.settings)

    def _publish(self) -> work.Publish:
        return work.Publish(
            release=self.world.ref(self.plan),
            target=self.target,
            manifest=self.manifest,
            signed=self.signed,
            attested=self.attested,
            gates=self.gates,
        )

    def refused(self, match: str, *acts: Callable[[], object]) -> None:
        """Every act, or these, is refused for a reason; nothing is signed, staged or public."""
        for act in acts or (self.sign, self.stage, self.promote):
            with pytest.raises(BatonError, match=match) as refusal:
                act()
            assert refusal.value.permanent
        assert not list(self.world.served.iterdir())
        if not acts:
            assert not (self.world.folder / ".served.staging").exists()


@pytest.fixture(scope="module")
def agreed(tmp_path_factory: pytest.TempPathFactory) -> Asking:
    world = World.make(tmp_path_factory.mktemp("agreed"))
    return Asking(world, world.plan())


@pytest.fixture
def world(agreed: Asking) -> World:
    agreed.world.write_rules()
    return agreed.world


@pytest.fixture
def asking(world: World, agreed: Asking) -> Asking:
    assert agreed.world is world
    return copy(agreed)


def test_what_people_agreed_to_may_be_signed_and_is_published(tmp_path: Path) -> None:
    _progress.set(Progress())
    world = World.make(tmp_path)
    asking = Asking(world, world.plan())
    Mandate(world.store, world.settings).to_sign(asking.signing())
    asking.stage()
    asking.promote()
    public = world.served / "hello/1.0.0"
    assert {file.name for file in public.iterdir()} == {
        "hello.tar.gz",
        "hello.tar.gz.provenance.sigstore.json",
        "hello.tar.gz.sigstore.json",
    }


def test_a_plan_that_an_older_version_wrote_keeps_its_name(world: World) -> None:
    older = replace(world, unknown=frozenset({"reminders"}))
    asking = Asking(older, world.plan())
    assert asking.signing().release.plan != asking.plan.digest
    Mandate(world.store, asking.settings).to_sign(asking.signing())


# Each makes something of one gate's result that people never said.
def unsigned(_: World, __: Plan, result: GateResult) -> GateResult:
    return given(result, *(one.model_copy(update={"proof": None}) for one in result.given))


def said_otherwise(**changes: object) -> Forgery:
    """Both people signed, but something else."""

    def forge(world: World, plan: Plan, result: GateResult) -> GateResult:
        acts = (sign_off(plan, by, result, **changes) for by in ("grace", "katherine"))
        return given(result, *map(world.given, acts))

    return forge


def by_one(world: World, plan: Plan, result: GateResult) -> GateResult:
    return given(result, world.given(sign_off(plan, "grace", result)))


def by_one_twice(world: World, plan: Plan, result: GateResult) -> GateResult:
    return given(result, *(world.given(sign_off(plan, "grace", result)) for _ in range(2)))


def by_one_in_anothers_name(world: World, plan: Plan, result: GateResult) -> GateResult:
    act = sign_off(plan, "grace", result)
    return given(result, world.given(act), world.given(act, by="katherine"))


def by_the_starter(world: World, plan: Plan, result: GateResult) -> GateResult:
    acts = (sign_off(plan, by, result) for by in ("ada", "grace"))
    return given(result, *map(world.given, acts))


def by_a_stranger(world: World, plan: Plan, result: GateResult) -> GateResult:
    return given(result, world.given(sign_off(plan, "mallory", result)))


def by_a_strangers_key(world: World, plan: Plan, result: GateResult) -> GateResult:
    acts = (sign_off(plan, by, result) for by in ("grace", "katherine"))
    return given(result, *(world.given(act, signer="mallory") for act in acts))


def rejected(_: World, __: Plan, result: GateResult) -> GateResult:
    said = Given(by="ada", role="release-manager", at=result.opened)
    return result.model_copy(update={"rejected": (said,)})


def a_rejection_told_as_a_sign_off(world: World, plan: Plan, result: GateResult) -> GateResult:
    act = sign_off(plan, "ada", result)
    return given(result, *result.given, world.given(Rejection(**act.model_dump())))


def altered(world: World, _: Plan, result: GateResult) -> GateResult:
    first, second = result.given
    assert first.proof is not None
    envelope = json.loads(world.store.read(first.proof.envelope))
    statement = base64.b64decode(envelope["payload"]).replace(b'"reason":""', b'"reason":"x"')
    envelope["payload"] = base64.b64encode(statement).decode()
    proof = first.proof.model_copy(update={"envelope": world.store.put_bytes(json.dumps(envelope).encode())})
    return given(result, first.model_copy(update={"proof": proof}), second)


def nobody(_: World, __: Plan, result: GateResult) -> GateResult:
    return given(result)


def given(result: GateResult, *sign_offs: Given) -> GateResult:
    return result.model_copy(update={"given": sign_offs})


@pytest.mark.parametrize(
    ("forgery", "match"),
    [
        (nobody, "has 0 of 2 sign-offs; missing: 2 release-manager"),
        (unsigned, "nothing proves that grace signed off gate"),
        (said_otherwise(subject=OTHER), "names 000000000000; gate"),
        (said_otherwise(gate="another"), "is in truth grace's sign-off of gate another"),
        (said_otherwise(run="another-run"), "names run another-run"),
        (said_otherwise(attempt=2), "is for attempt 2"),
        (said_otherwise(role="windows-expert"), "does not hold the role windows-expert"),
        (by_one, "has 1 of 2 sign-offs"),
        (by_one_twice, "has 1 of 2 sign-offs"),
        (by_one_in_anothers_name, "of katherine .* is in truth grace's"),
        (by_the_starter, "ada started or planned this release"),
        (by_a_stranger, "mallory is not on the roster; on it: ada, grace, katherine"),
        (by_a_strangers_key, "which the roster lists for nobody"),
        (rejected, "rejected by ada"),
        (a_rejection_told_as_a_sign_off, "rejected by ada"),
        (altered, "the sign-off of grace for gate .* does not count: the .*signature"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
@pytest.mark.parametrize("gate", ["commit", "files"])
def test_a_forged_result_of_a_gate_moves_no_worker(asking: Asking, gate: str, forgery: Forgery, match: str) -> None:
    asking.replace(gate, forgery)
    if gate == "commit":
        asking.refused(match)
    else:
        asking.refused(match, asking.promote)


def test_a_gate_that_was_left_out_has_not_passed(asking: Asking) -> None:
    _, files = asking.gates
    asking.gates = (files,)
    asking.refused("gate commit has not been opened")


def test_whoever_planned_it_anew_does_not_count_either(asking: Asking) -> None:
    asking.replace("commit", lambda _, __, result: result.model_copy(update={"excluded": ("katherine",)}))
    asking.refused("katherine started or planned this release")


def test_a_plan_brings_no_roster_of_its_own(world: World) -> None:
    mallorys = {"kind": "ssh", "public_key": world.keys["mallory"].credential.public_key}
    people = [{"id": by, "name": by, "roles": ["release-manager"], "keys": [mallorys]} for by in ("grace", "katherine")]
    asking = Asking(world, world.plan(roster={"people": people}))
    for gate in ("commit", "files"):
        asking.replace(gate, by_a_strangers_key)
    asking.refused("which the roster lists for nobody")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("gates", [{"name": "commit", "before": "build", "needs": {"release-manager": 1}}]),
        ("targets", [{"kind": "directory", "name": "downloads", "path": "/srv/other", "url": "https://other.example"}]),
        (
            "signers",
            [
                {
                    "kind": "sigstore",
                    "instance": "staging",
                    "identity": {"identity": "https://example.org/other", "issuer": "https://issuer.example.org"},
                }
            ],
        ),
    ],
)
def test_a_plan_loosens_nothing(world: World, field: str, value: object) -> None:
    asking = Asking(world, world.plan(**{field: value}))
    asking.refused(f"the plan's {field} are not those of .*release.toml on this worker: bring that up to date")


def test_a_rehearsal_is_nothing_to_a_worker_for_real_releases(world: World) -> None:
    gates = [{"name": "files", "before": "publish", "needs": {"release-manager": 1}}]
    asking = Asking(world, world.plan(sandbox=True, unsigned_acts=True, gates=gates))
    asking.replace("files", unsigned)
    asking.refused("the plan's gates are not those of")


def test_agreement_to_other_files_is_none_to_these(asking: Asking, world: World) -> None:
    asking.manifest = world.manifest(asking.plan, b"something else")
    asking.refused("gate files asks about", asking.promote)


def test_a_manifest_of_another_plan_is_not_taken(asking: Asking, world: World) -> None:
    asking.manifest = world.manifest(world.plan(title="Another"))
    asking.refused("manifest sha256:.* is of hello 1.0.0, plan sha256:")


def test_a_plan_of_another_release_is_not_taken(asking: Asking, world: World) -> None:
    another = asking.plan.release.model_copy(update={"version": "1.0.1"})
    release = world.ref(asking.plan).model_copy(update={"release": another})
    what = asking.signing().model_copy(update={"release": release})
    asking.refused(
        "is for hello 1.0.0, not for hello 1.0.1",
        lambda: SignActivities(world.store, asking.settings).sign_files(what),
    )


def test_somebody_who_left_the_workers_roster_counts_no_more(asking: Asking, world: World) -> None:
    world.write_rules("ada", "grace", "mallory")
    asking.refused("katherine is not on the roster; on it: ada, grace, mallory")


@pytest.mark.parametrize("what", ["revoked", "until"])
def test_a_key_that_was_withdrawn_since_counts_no_more(asking: Asking, world: World, what: str) -> None:
    world.write_rules(more={"katherine": f", {what} = 2020-01-01"})
    asking.refused("revoked on 2020-01-01" if what == "revoked" else "until 2020-01-01")


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"needs = { release-manager = 2 }": "needs = { release-manager = 1 }"}, "the plan's gates are not those of"),
        (
            {'name = "hello"': 'name = "other"'},
            "no rules to judge a release of hello",
        ),
        ({'repository = "': 'sandbox = true\nrepository = "'}, "allows no real release of hello 1.0.0"),
        ({'[streams."1.0"]': '[streams."2.0"]'}, "allows no real release of hello 1.0.0 from stream 1.0"),
    ],
    ids=["other-gates", "another-project", "only-rehearsed", "no-such-stream"],
)
def test_the_workers_own_file_decides(asking: Asking, world: World, changes: dict[str, str], match: str) -> None:
    world.write_rules(changes=changes)
    asking.refused(match)


def test_a_worker_without_rules_of_its_own_does_nothing_for_real(asking: Asking, world: World) -> None:
    asking.settings = WorkerSettings(store=asking.settings.store, workspace=world.folder / "work", sandbox=None)
    asking.refused("name the project's release.toml in BATON_PROJECTS")


def test_of_several_projects_the_releases_own_judges(
    asking: Asking, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "release.toml"
    other.write_text(world.rules.read_text().replace('name = "hello"', 'name = "other"'))
    monkeypatch.setenv("BATON_PROJECTS", f"{other}{os.pathsep}{world.rules}")
    Mandate(world.store, WorkerSettings(store=asking.settings.store)).to_sign(asking.signing())


@pytest.mark.parametrize("duty", [Duty.SIGN, Duty.PUBLISH])
def test_a_worker_whose_rules_can_not_be_used_does_not_start(asking: Asking, tmp_path: Path, duty: Duty) -> None:
    file = tmp_path / "release.toml"
    [own] = asking.settings.projects
    for text, match in (
        (None, "no such file"),
        ("[project]", "is required|missing"),
        (own.read_text(), "are both of hello: keep one"),
    ):
        if text is not None:
            file.write_text(text)
        settings = asking.settings.model_copy(update={"projects": (own, file)})
        with pytest.raises(BatonError, match=match):
            activities_for(duty, settings)


def test_no_other_signer_signs_than_the_projects(asking: Asking) -> None:
    machine = asking.signer.model_copy(update={"suffix": ".sigstore"})
    asking.signer = machine
    asking.refused("the sigstore signer that is asked for is none of", asking.sign)


def test_files_go_to_no_other_target_than_the_projects(asking: Asking, world: World) -> None:
    (world.folder / "elsewhere").mkdir(exist_ok=True)
    asking.target = asking.target.model_copy(update={"path": str(world.folder / "elsewhere")})
    asking.refused("the target downloads that is asked for is none of", asking.stage, asking.promote, asking.unstage)
    assert not list((world.folder / "elsewhere").iterdir())


@pytest.mark.parametrize("name", ["installer.exe", "hello.tar.gz"])
def test_nothing_comes_along_with_the_signatures(asking: Asking, world: World, name: str) -> None:
    asking.signed = world.signed(asking.plan, name)
    asking.refused(
        f"not one for each of the manifest's files; too many or missing: {name}", asking.stage, asking.promote
    )


def test_no_signature_may_be_left_out(asking: Asking) -> None:
    asking.signed = ()
    asking.refused("signed by nobody", asking.stage, asking.promote)


def within(asking: Asking, step: PlatformStep) -> SignPlatform:
    (signed,) = asking.signed
    built = work.Built(step="source", commit=COMMIT, artifacts=signed.signatures)
    return SignPlatform(release=asking.world.ref(asking.plan), step=step, built=built, gates=asking.gates)


@pytest.fixture
def signing_within(world: World) -> Asking:
    """A release of a project that has its files signed inside; people have agreed to the plan, and not to the files."""
    world.write_rules(changes={"[signing]": f"{WITHIN}\n[signing]"})
    asking = Asking(world, world.plan())
    asking.gates = tuple(gate for gate in asking.gates if gate.gate == "commit")
    return asking


def test_files_are_signed_inside_once_people_agreed_to_the_plan(signing_within: Asking) -> None:
    (step,) = signing_within.plan.platform
    Mandate(signing_within.world.store, signing_within.settings).to_sign_within(within(signing_within, step))


@pytest.mark.parametrize(
    ("forgery", "match"),
    [
        (nobody, "has 0 of 2 sign-offs; missing: 2 release-manager"),
        (unsigned, "nothing proves that grace signed off gate commit"),
        (said_otherwise(subject=OTHER), "names 000000000000; gate"),
        (by_a_strangers_key, "which the roster lists for nobody"),
    ],
)
def test_nothing_is_signed_inside_that_people_did_not_agree_to(
    signing_within: Asking, forgery: Forgery, match: str
) -> None:
    signing_within.replace("commit", forgery)
    refused_within(signing_within, match)


def test_nothing_is_signed_inside_before_the_gate_is_open(signing_within: Asking) -> None:
    signing_within.gates = ()
    refused_within(signing_within, "gate commit has not been opened")


def test_nothing_is_signed_inside_in_another_way_than_the_projects(signing_within: Asking) -> None:
    for changes in ({"files": ("other.tar.gz",)}, {"queue": "sign-elsewhere"}, {"of": "windows"}):
        refused_within(signing_within, "the platform signing signed that is asked for is none of", **changes)


def test_nothing_is_signed_inside_that_the_workers_rules_do_not_have(signing_within: Asking) -> None:
    signing_within.world.write_rules()
    refused_within(signing_within, "the plan's platform steps are not those of")


def refused_within(asking: Asking, match: str, **changes: object) -> None:
    (step,) = asking.plan.platform
    what = within(asking, step.model_copy(update=changes))
    with pytest.raises(BatonError, match=match) as refusal:
        Mandate(asking.world.store, asking.settings).to_sign_within(what)
    assert refusal.value.permanent
