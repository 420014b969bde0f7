"""Workers that hold the credentials of repositories and CI systems, asked by a release and by whoever forges one."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from activities.makings import MakingRecords
from activities.mandate import Mandate
from activities.outside import OutsideActivities
from activities.source import SourceActivities
from activities.work import Progress, _progress
from baton.model import work
from baton.model.attesting import Ordered
from baton.model.errors import BatonError, Missing, Refused, Unavailable
from baton.model.outside import GitHubBuilder, OutsideRun
from baton.model.outside_azure import AzureBuilder, PatCredential
from baton.model.plan import ArchiveLimits
from baton.model.version import StreamStatus
from tests.activities.agreed import COMMIT, World

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from baton.model.building import Step
    from baton.model.gate import GateResult
    from baton.model.plan import Plan
    from baton.proof.ssh_key import SshSigningKey

COMMAND = 'kind = "command", commands = [["make"]]'
GITHUB = (
    'kind = "github-actions", repository = "example/hello", workflow = "build.yml", ref = "baton/hello-{version}", '
    'inputs = { baton = "{key}", of = "{version} {tag} {commit}" }, artifacts = ["packages-VERSION"], '
    'token-from = "CI_TOKEN"'
)
AZURE = (
    'kind = "azure-pipelines", organization = "https://dev.azure.com/hello", project = "hello", pipeline = 7, '
    'parameters = { Version = "{version}", Commit = "{commit}" }, artifacts = ["packages"], '
    'credential = { kind = "pat", token-from = "CI_TOKEN" }'
)
OTHER = "d" * 40
DEPLOY_TOKEN = "DEPLOY_TOKEN"  # noqa: S105  # a variable's name
ELSEWHERE = "https://git.example/other.git"


@dataclass
class Network:
    """Lets nobody through, and keeps where somebody wanted to."""

    wanted: list[str] = field(default_factory=list)

    def find(self, host: str | bytes | None, *_: object, **__: object) -> None:
        self.wanted.append(str(host))
        raise socket.gaierror(socket.EAI_AGAIN, "nobody gets through")


@dataclass
class Asking:
    """What the workers are asked to do for a plan that people have agreed to."""

    world: World
    plan: Plan
    step: Step
    source: work.Source
    gates: tuple[GateResult, ...]

    @classmethod
    def of(cls, world: World, plan: Plan | None = None) -> Asking:
        plan = plan or world.plan()
        planned = plan.source
        source = work.Source(
            repository=planned.repository, commit=COMMIT, tag=planned.tag, bundle="sha256:" + "b" * 64, epoch=1
        )
        return cls(world, plan, plan.steps[0], source, world.passed(plan, world.manifest(plan)))

    @property
    def release(self) -> work.ReleaseRef:
        return self.world.ref(self.plan)

    @property
    def outside(self) -> OutsideActivities:
        return OutsideActivities(self.world.store, self.world.settings)

    @property
    def sources(self) -> SourceActivities:
        return SourceActivities(self.world.store, self.world.settings)

    @property
    def mandate(self) -> Mandate:
        return Mandate(self.world.store, self.world.settings)

    def ordered(self) -> work.OrderRun:
        asked = {"number": 1, "asked": datetime.now(UTC), "gates": self.gates}
        return work.OrderRun.model_validate(
            {"release": self.release, "step": self.step, "source": self.source, **asked}
        )

    def order(self) -> object:
        return self.outside.order_run(self.ordered())

    def offered(self) -> work.OfferSource:
        return work.OfferSource(release=self.release, source=self.source, gates=self.gates)

    def tagged(self) -> work.PushTag:
        manifest = self.world.manifest(self.plan)
        return work.PushTag(release=self.release, source=self.source, manifest=manifest, gates=self.gates)

    def prepared(self) -> work.PrepareSource:
        return work.PrepareSource(release=self.release, source=self.plan.source, attempt=1)

    def builder(self, **changes: Any) -> None:
        """Have the step built otherwise than the rules say."""
        builder = self.step.builder.model_copy(update=changes)
        self.step = self.step.model_copy(update={"builder": type(builder).model_validate(builder.model_dump())})

    def planned_by_somebody(self, **changes: Any) -> None:
        """Have a plan of one's own, with the step in it, which the same people are said to have agreed to."""
        self.plan = self.plan.model_copy(update={"steps": (self.step,), **changes})


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    network = Network()
    monkeypatch.setattr(socket, "getaddrinfo", network.find)
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: network.find(str(address)))
    return network


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, SshSigningKey]:
    return World.make(tmp_path_factory.mktemp("keys")).keys


@pytest.fixture
def world(
    tmp_path: Path, keys: Mapping[str, SshSigningKey], network: Network, monkeypatch: pytest.MonkeyPatch
) -> World:
    assert not network.wanted
    monkeypatch.setenv("CI_TOKEN", "a-token-for-ci")
    _progress.set(Progress())
    world = World(tmp_path, keys)
    built_by(world, GITHUB)
    return world


def built_by(world: World, builder: str, **more: str) -> None:
    world.write_rules(changes={COMMAND: builder, 'queue = "build"': 'queue = "ci"', **more})


@pytest.mark.parametrize(("builder", "host"), [(GITHUB, "api.github.com"), (AZURE, "dev.azure.com")])
def test_what_the_rules_name_and_people_agreed_to_is_ordered_there(
    world: World, network: Network, builder: str, host: str
) -> None:
    built_by(world, builder)
    with pytest.raises(Unavailable):
        Asking.of(world).order()
    assert set(network.wanted) == {host}


FORGED_ON_GITHUB: dict[str, dict[str, Any]] = {
    "another address": {"api": "https://api.github.example"},
    "this machine": {"api": "http://127.0.0.1:8080"},
    "another repository": {"repository": "example/website"},
    "another workflow": {"workflow": "deploy.yml"},
    "another ref": {"ref": "main"},
    "other inputs": {"inputs": {"baton": "{key}", "of": "{version} {tag} " + OTHER}},
    "more inputs": {"inputs": {"baton": "{key}", "of": "{version} {tag} {commit}", "publish": "true"}},
    "another token": {"token_from": DEPLOY_TOKEN},
    "other artifacts": {"artifacts": ("secrets",)},
    "a weaker proof": {"proof": "run-name", "inputs": {"baton": "{key}", "of": "{commit}"}},
}
FORGED_ON_AZURE: dict[str, dict[str, Any]] = {
    "another organization": {"organization": "https://azure.example/hello"},
    "another project": {"project": "website"},
    "another pipeline": {"pipeline": 8},
    "other parameters": {"parameters": {"Version": "{version}", "Commit": OTHER}},
    "more variables": {"variables": {"Publish": "true"}},
    "fewer stages": {"skip_stages": ("Tests",)},
    "another credential": {"credential": PatCredential(token_from=DEPLOY_TOKEN)},
}


@pytest.mark.parametrize(
    ("builder", "forged"),
    [(GITHUB, forged) for forged in FORGED_ON_GITHUB.values()] + [(AZURE, f) for f in FORGED_ON_AZURE.values()],
    ids=[*FORGED_ON_GITHUB, *FORGED_ON_AZURE],
)
def test_nothing_but_the_rules_steps_is_ordered_followed_or_stopped(
    world: World, network: Network, builder: str, forged: dict[str, Any]
) -> None:
    built_by(world, builder)
    asking = Asking.of(world)
    assert isinstance(asking.step.builder, GitHubBuilder | AzureBuilder)
    asking.builder(**forged)
    refused_everywhere(asking, "step source as it is asked for is none of .*release.toml")
    assert network.wanted == []


def test_a_plan_that_people_agreed_to_does_not_make_a_step_the_rules_own(world: World, network: Network) -> None:
    asking = Asking.of(world)
    asking.builder(api="https://api.github.example")
    asking.planned_by_somebody()
    asking.gates = world.passed(asking.plan, world.manifest(asking.plan))
    refused_everywhere(asking, "step source as it is asked for is none of .*release.toml")
    assert network.wanted == []


def refused_everywhere(asking: Asking, why: str) -> None:
    """Neither an order nor anything that is done with a run takes the step; the run is on record, as if it were one."""
    run = OutsideRun(key="source-1-0", commit=COMMIT, id="7", url="https://ci.example/7", dispatched=datetime.now(UTC))
    release, step = asking.release, asking.step
    MakingRecords(asking.world.store, release).keep_ordered(Ordered(step=step, run=run))
    until = datetime.now(UTC) + timedelta(hours=1)
    follow = work.FollowRun(release=release, step=step, run=run, seen=None, until=until)
    collect = work.CollectRun(release=release, step=step, run=run, source=asking.source, limits=ArchiveLimits())
    retry, outside = work.RetryRun(release=release, step=step, run=run), asking.outside
    asks: list[Callable[[], object]] = [
        asking.order,
        lambda: outside.follow_run(follow),
        lambda: outside.retry_run(retry),
        lambda: outside.collect_run(collect),
        lambda: outside.cancel_run(asking.ordered()),
    ]
    for ask in asks:
        with pytest.raises(Refused, match=why):
            ask()


def test_a_step_of_another_version_is_not_this_releases(world: World, network: Network) -> None:
    asking = Asking.of(world)
    asking.builder(artifacts=("packages-1.0.1",))
    refused_everywhere(asking, "step source as it is asked for is none of")
    assert network.wanted == []


def test_how_a_step_is_built_follows_the_streams_status_by_the_workers_own_rules(
    world: World, network: Network
) -> None:
    more = '\n\n[[steps.variants]]\nstatuses = ["security"]\ninputs = { of = "private" }\n\n[signing]'
    built_by(world, GITHUB, **{"\n[signing]": more})
    asking = Asking.of(world)
    asking.builder(inputs={"baton": "{key}", "of": "private"})
    stream = asking.plan.stream.model_copy(update={"status": StreamStatus.SECURITY})
    asking.planned_by_somebody(stream=stream)
    asking.gates = world.passed(asking.plan, world.manifest(asking.plan))
    refused_everywhere(asking, "step source as it is asked for is none of")
    assert network.wanted == []


SOURCES: dict[str, tuple[dict[str, str], str]] = {
    "another commit": ({"commit": OTHER}, f"this is of commit {OTHER}; the plan releases {COMMIT}"),
    "another tag": ({"tag": "v9"}, "v9 of .* is asked for"),
    "another repository": ({"repository": ELSEWHERE}, f"v?1.0.0 of {ELSEWHERE} is asked for"),
}


@pytest.mark.parametrize(("changes", "why"), SOURCES.values(), ids=SOURCES)
def test_nothing_but_the_plans_source_is_built_or_pushed(
    world: World, network: Network, changes: dict[str, str], why: str
) -> None:
    asking = Asking.of(world)
    asking.source = asking.source.model_copy(update=changes)
    acts: list[Callable[[], object]] = [
        asking.order,
        lambda: asking.sources.offer_source(asking.offered()),
        lambda: asking.sources.withdraw_source(asking.offered()),
        lambda: asking.sources.push_tag(asking.tagged()),
    ]
    for act in acts:
        with pytest.raises(Refused, match=why):
            act()
    assert network.wanted == []


@pytest.mark.parametrize("changes", [{"repository": ELSEWHERE}, {"tag": "v9"}, {"prepare": (("curl", "evil"),)}])
def test_a_source_that_the_rules_do_not_name_is_neither_prepared_nor_pushed(
    world: World, network: Network, changes: dict[str, Any]
) -> None:
    plan = world.plan()
    asking = Asking.of(world, plan.model_copy(update={"source": plan.source.model_copy(update=changes)}))
    acts: list[Callable[[], object]] = [
        asking.order,
        lambda: asking.sources.prepare_source(asking.prepared()),
        lambda: asking.sources.offer_source(asking.offered()),
        lambda: asking.sources.withdraw_source(asking.offered()),
        lambda: asking.sources.push_tag(asking.tagged()),
    ]
    for act in acts:
        with pytest.raises(Refused, match=f"the plan's source's {next(iter(changes))} are not those of"):
            act()
    mixed = asking.prepared()
    asking.plan = plan
    with pytest.raises(Refused, match="the source that is asked for is not that of plan"):
        asking.sources.prepare_source(mixed.model_copy(update={"release": asking.release}))
    assert network.wanted == []


def test_nothing_is_ordered_or_pushed_before_people_agreed(world: World, network: Network) -> None:
    asking = Asking.of(world)
    before, after = asking.gates
    asking.mandate.to_order(asking.ordered())
    asking.mandate.to_offer(asking.offered())
    asking.mandate.to_push_tag(asking.tagged())
    asking.gates = (before,)
    asking.mandate.to_offer(asking.offered())
    with pytest.raises(Refused, match="gate files has not been opened"):
        asking.sources.push_tag(asking.tagged())
    asking.gates = (before.model_copy(update={"given": before.given[:1]}), after)
    for act in (asking.order, lambda: asking.sources.offer_source(asking.offered())):
        with pytest.raises(Refused, match="gate commit"):
            act()
    assert network.wanted == []


def test_what_people_agreed_to_in_another_plan_counts_for_no_order(world: World, network: Network) -> None:
    asking = Asking.of(world)
    asking.planned_by_somebody(title="Another plan")
    with pytest.raises(Refused, match="gate commit"):
        asking.order()
    asking.planned_by_somebody(gates=asking.plan.gates[1:])
    with pytest.raises(Refused, match="the plan's gates are not those of"):
        asking.order()
    assert network.wanted == []


def test_no_branch_is_pushed_that_no_run_is_told_of(world: World) -> None:
    built_by(world, AZURE)
    asking = Asking.of(world)
    with pytest.raises(Refused, match="no branch is made for hello"):
        asking.sources.offer_source(asking.offered())


def test_a_worker_without_rules_does_nothing_for_a_real_release(world: World, network: Network) -> None:
    asking = Asking.of(world)
    without = world.settings.model_copy(update={"projects": ()})
    outside, sources = OutsideActivities(world.store, without), SourceActivities(world.store, without)
    acts: list[Callable[[], object]] = [
        lambda: outside.order_run(asking.ordered()),
        lambda: outside.cancel_run(asking.ordered()),
        lambda: sources.prepare_source(asking.prepared()),
        lambda: sources.offer_source(asking.offered()),
        lambda: sources.push_tag(asking.tagged()),
    ]
    for act in acts:
        with pytest.raises(Missing, match=r"name the project's release\.toml in BATON_PROJECTS"):
            act()
    assert network.wanted == []


def test_a_worker_whose_rules_can_not_be_used_does_not_start(world: World) -> None:
    world.rules.write_text("nonsense")
    for activities in (OutsideActivities, SourceActivities):
        with pytest.raises(BatonError, match=r"release\.toml"):
            activities(world.store, world.settings)
