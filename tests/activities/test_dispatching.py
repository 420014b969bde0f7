"""Signing by a workflow elsewhere: a simulator of GitHub runs it, with a local Sigstore's word for who it is."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities import runs
from activities.dispatching import DispatchActivities
from activities.work import Progress, _progress
from baton.builders.outside import Unusable
from baton.model import dispatching, work
from baton.model.base import canonical_json, digest_of
from baton.model.errors import Refused
from baton.model.gate import GateResult
from baton.model.manifest import Artifact, Manifest, ManifestFile, ManifestRef
from baton.model.outside import OutsideRun, RunState
from baton.model.plan import ArchiveLimits, Plan
from baton.model.signing import DispatchedSigner
from baton.sandbox.fake_ci.github import Fault
from baton.sandbox.sigstore.server import local_sigstore
from baton.sandbox.sigstore.tokens import github_claims
from baton.settings import WorkerSettings
from baton.store import LocalStore
from baton.trust.release import verify_release
from tests.builders.github_world import TOKEN, World, github_world
from tests.conftest import NOW, PATIENCE, PLAN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SCRIPT = Path(__file__).parents[2] / "examples" / "cpython" / "sign_digests.py"
ISSUER = "https://token.actions.githubusercontent.com"
IDENTITY = "https://github.com/example/hello/.github/workflows/sign.yml@refs/heads/main"
NAMES = ("hello.tar.gz", "hello.zip")
ALTERED = "import pathlib; [p.write_text(p.read_text().replace('A', 'B')) for p in pathlib.Path('bundles').iterdir()]"


class Worker:
    """A signing worker that may start the workflow, and what it is asked to sign."""

    def __init__(self, world: World, folder: Path, trust_config: Path) -> None:
        self.world = world
        self.trust_config = trust_config
        self.store = LocalStore(folder / "store")
        settings = WorkerSettings(
            store=str(folder / "store"),
            workspace=folder / "work",
            sandbox=folder,
            sigstore_trust_config=trust_config,
        )
        self.activities = DispatchActivities(self.store, settings)
        self.signer = DispatchedSigner.model_validate(
            {
                "instance": "sandbox",
                "identity": {"identity": IDENTITY, "issuer": ISSUER},
                "run": {
                    "repository": "example/hello",
                    "workflow": "sign.yml",
                    "ref": "main",
                    "inputs": {"baton": "{key}", "commit": "{commit}", "suffix": ".sigstore.json"},
                    "artifacts": ["bundles"],
                    "proof": "run-name",
                    "api": world.simulator.url,
                    "token_from": "GITHUB_TOKEN_FOR_TEST",
                },
                "digests_in": "digests",
            }
        )
        self.plan = Plan.model_validate({**PLAN, "signers": [self.signer.model_dump(by_alias=True)], "gates": [GATE]})
        self.ref = work.ReleaseRef(
            release=self.plan.release, run="run-1", plan=self.store.put_bytes(canonical_json(self.plan)), sandbox=True
        )
        self.manifest = self.manifest_of(NAMES)

    def manifest_of(self, names: tuple[str, ...]) -> ManifestRef:
        files = tuple(
            ManifestFile(name=name, digest=digest_of(name.encode()), size=len(name), step="source")
            for name in sorted(names)
        )
        manifest = Manifest(
            project="hello", version="1.0.0", plan=self.plan.digest, commit=self.world.commit, files=files
        )
        self.store.put_bytes(canonical_json(manifest))
        return ManifestRef.to(manifest)

    def gates(self, *, passed: bool = True) -> tuple[GateResult, ...]:
        """The gate before signing; in this rehearsal people are taken at their word."""
        asked = {"gate": "files", "attempt": 1, "run": "run-1", "needs": {"release-manager": 1}, "opened": NOW}
        given = [{"by": "ada", "role": "release-manager", "at": NOW}] if passed else []
        return (GateResult.model_validate({**asked, "subject": self.manifest.digest, "given": given}),)

    def do(self, activity: Callable[[Any], Any], what: object) -> Any:
        token = _progress.set(Progress())
        try:
            return ActivityEnvironment().run(activity, what)
        finally:
            _progress.reset(token)

    def wanted(self, **changes: Any) -> dispatching.OrderSigning:
        facts = {"release": self.ref, "signer": self.signer, "manifest": self.manifest, "gates": self.gates()}
        return dispatching.OrderSigning.model_validate(
            {**facts, "tag": "v1.0.0", "number": 1, "asked": datetime.now(UTC), **changes}
        )

    def order(self, wanted: dispatching.OrderSigning) -> OutsideRun:
        run: OutsideRun = self.do(self.activities.order_signing, wanted)
        return run

    def until_ended(self, run: OutsideRun, number: int = 1) -> RunState:
        until = datetime.now(UTC) + timedelta(seconds=PATIENCE)
        deadline = time.monotonic() + PATIENCE
        while True:
            facts = {"release": self.ref, "signer": self.signer, "number": number, "run": run}
            followed = dispatching.FollowSigning.model_validate({**facts, "seen": None, "until": until})
            report = self.do(self.activities.follow_signing, followed)
            if report.state.ended:
                return RunState(report.state)
            assert time.monotonic() < deadline, report
            time.sleep(0.05)

    def collect(self, run: OutsideRun, number: int = 1) -> work.Signed:
        what = dispatching.CollectSigning(
            release=self.ref,
            signer=self.signer,
            number=number,
            run=run,
            manifest=self.manifest,
            limits=ArchiveLimits(),
        )
        signed: work.Signed = self.do(self.activities.collect_signing, what)
        return signed


GATE = {"name": "files", "before": "sign", "needs": {"release-manager": 1}}


@pytest.fixture
def signing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Starts everything: the workflow runs the very script of the example, and then what a test adds."""
    monkeypatch.setenv("GITHUB_TOKEN_FOR_TEST", TOKEN)
    monkeypatch.setattr(runs, "_SOON", 0.05)
    from contextlib import ExitStack  # noqa: PLC0415  # for this fixture alone

    with ExitStack() as stack:

        def start(*more: str, repository: str = "example/hello") -> Worker:
            sigstore = stack.enter_context(local_sigstore(tmp_path / "sigstore"))
            claims = github_claims(repository, workflow="sign.yml")
            commands = ["import os, runpy, sys", "os.environ |= {'DIGESTS': os.environ['INPUT_DIGESTS'],"]
            commands += ["'SUFFIX': os.environ['INPUT_SUFFIX']}"]
            commands += [f"sys.argv = ['sign', 'bundles', {str(sigstore.trust_config)!r}]"]
            commands += [f"runpy.run_path({str(SCRIPT)!r}, run_name='__main__')", *more]
            recipe = {
                "commands": [[sys.executable, "-c", "\n".join([commands[0], " ".join(commands[1:3]), *commands[3:]])]],
                "artifacts": {"bundles": "bundles"},
                "environment": sigstore.tokens.github_environment(sigstore.url, claims),
            }
            world = stack.enter_context(
                github_world(
                    tmp_path / "github",
                    file="sign.yml",
                    run_name="Sign at ${{ inputs.commit }} for ${{ inputs.baton }}",
                    inputs=("baton", "commit", "suffix", "digests"),
                    recipe=recipe,
                )
            )
            return Worker(world, tmp_path, sigstore.trust_config)

        yield start


def test_a_workflow_signs_digests_and_is_started_once(signing: Callable[..., Worker]) -> None:
    worker = signing()
    wanted = worker.wanted()
    run = worker.order(wanted)
    assert worker.order(wanted) == run
    assert worker.until_ended(run) is RunState.SUCCEEDED

    signed = worker.collect(run)
    assert worker.collect(run) == signed
    assert worker.world.dispatches == 1
    made = {one.name: worker.store.read(one.digest) for one in worker.store.read_set(signed.signatures).artifacts}
    assert set(made) == {f"{name}.sigstore.json" for name in NAMES}
    files = [(Artifact(name=name, digest=digest_of(name.encode()), size=len(name)), None) for name in NAMES]
    assert verify_release(files, [(worker.signer, made)], trust_config=worker.trust_config)


def test_a_workers_token_is_for_its_own_runs_and_its_own_workflow_alone(signing: Callable[..., Worker]) -> None:
    worker = signing()
    run = worker.order(worker.wanted())
    other, elsewhere = run.model_copy(update={"id": "4711"}), worker.signer.model_copy(update={"queue": "mine"})
    attending: list[tuple[Callable[[Any], Any], type[dispatching.OrderedSigning], dict[str, Any]]] = [
        (worker.activities.follow_signing, dispatching.FollowSigning, {"seen": None, "until": datetime.now(UTC)}),
        (worker.activities.retry_signing, dispatching.OrderedSigning, {}),
        (
            worker.activities.collect_signing,
            dispatching.CollectSigning,
            {"manifest": worker.manifest, "limits": ArchiveLimits()},
        ),
    ]
    for activity, asked, facts in attending:

        def ask(
            activity: Callable[[Any], Any] = activity,
            asked: type[dispatching.OrderedSigning] = asked,
            facts: dict[str, Any] = facts,
            **changes: object,
        ) -> None:
            own = {"release": worker.ref, "signer": worker.signer, "number": 1, "run": run}
            worker.do(activity, asked.model_validate({**own, **facts, **changes}))

        with pytest.raises(Refused, match=f"run 4711 was not started by order 1 to sign this release: {run.id} was"):
            ask(run=other)
        with pytest.raises(Refused, match="was not started by order 2 to sign this release: none was"):
            ask(number=2)
        with pytest.raises(Refused, match="none of the plan"):
            ask(signer=elsewhere)
    for activity in (worker.activities.order_signing, worker.activities.cancel_signing):
        with pytest.raises(Refused, match="none of the plan"):
            worker.do(activity, worker.wanted(signer=elsewhere))
    assert worker.world.dispatches == 1


def test_a_run_is_replaced_by_the_next_orders_and_one_that_goes_on_is_stopped(signing: Callable[..., Worker]) -> None:
    worker = signing()
    worker.world.goes_wrong(Fault.HELD)
    others = [
        worker.wanted(manifest=worker.manifest_of(NAMES[:1])),
        worker.wanted(release=worker.ref.model_copy(update={"run": "run-2"})),
        worker.wanted(number=2),
    ]
    assert len({wanted.order(worker.world.commit).key for wanted in (worker.wanted(), *others)}) == 4
    first = worker.order(worker.wanted())
    second = worker.order(worker.wanted(number=2))
    assert (first.id != second.id, worker.world.dispatches) == (True, 2)
    undone = worker.do(worker.activities.cancel_signing, worker.wanted())
    assert undone.detail == f"stopped run {first.id} of sign-sigstore-dispatched: {first.url}"
    assert worker.until_ended(first) is RunState.CANCELLED
    assert worker.until_ended(second, number=2) is RunState.SUCCEEDED
    assert worker.collect(second, number=2).signatures.files == len(NAMES)
    undone = worker.do(worker.activities.cancel_signing, worker.wanted(number=3))
    assert undone.detail.startswith("no run of sign-sigstore-dispatched is on record")


@pytest.mark.parametrize(
    ("more", "repository", "why"),
    [
        (ALTERED, "example/hello", r"the signatures do not count: hello\.tar\.gz"),
        ("pass", "example/other", r"it is by https://github\.com/example/other/.* Who has to sign: .*example/hello"),
        ("os.remove('bundles/hello.zip.sigstore.json')", "example/hello", r"hello\.zip\.sigstore\.json"),
    ],
    ids=["altered", "by another workflow", "missing"],
)
def test_bundles_that_do_not_count_are_not_taken(
    signing: Callable[..., Worker], more: str, repository: str, why: str
) -> None:
    worker = signing(more, repository=repository)
    run = worker.order(worker.wanted())
    assert worker.until_ended(run) is RunState.SUCCEEDED
    with pytest.raises(Unusable, match=why):
        worker.collect(run)


def test_nothing_is_started_that_people_did_not_agree_to_or_that_github_does_not_take(
    signing: Callable[..., Worker],
) -> None:
    worker = signing()
    with pytest.raises(Refused, match="gate files"):
        worker.order(worker.wanted(gates=worker.gates(passed=False)))
    worker.manifest = worker.manifest_of(tuple(f"hello-{number:04}-{'x' * 60}.bin" for number in range(500)))
    with pytest.raises(Refused, match=r"of them in digests; GitHub takes 65,535 in all, and nothing was started"):
        worker.order(worker.wanted())
    assert worker.world.dispatches == 0
