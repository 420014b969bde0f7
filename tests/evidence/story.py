"""A release with everything that people can do in it, on a real server: what it leaves behind is what the tests read.

Nothing is built and no file is signed or moved; the hearing, the proving and the evidence are real.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from activities.attesting import AttestActivities
from activities.collecting import CollectActivities
from activities.evidence import EvidenceActivities, EvidencePublishing, EvidenceSigning
from activities.hearing import HearActivities
from activities.work import Conduct, does
from baton.model import attesting, work
from baton.model.acts import Answer, Claim, Decision, Rejection, Replan, SignOff, Withdrawal
from baton.model.base import canonical_json
from baton.model.manifest import Artifact, ArtifactSet, SetRef
from baton.model.plan import Plan
from baton.model.statement import statement_of
from baton.model.status import Beginning, ReleaseStatus
from baton.proof import seal
from baton.store import LocalStore
from tests.conftest import PATIENCE, PLAN
from workflows.release import ReleaseWorkflow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from temporalio.client import WorkflowHandle
    from temporalio.testing import WorkflowEnvironment

    from baton.model.acts import Act
    from baton.proof.openpgp_key import OpenPgpSigningKey
    from baton.proof.ssh_key import SshSigningKey
    from baton.settings import WorkerSettings

    Keys = Mapping[str, SshSigningKey | OpenPgpSigningKey]

QUEUE = "evidence"


def plan_of(keys: Keys, signers: list[dict[str, Any]], **changes: Any) -> Plan:
    """A rehearsal whose people sign what they say."""
    roles = {"ada": ["release-manager"], "grace": ["release-manager", "windows-expert"], "katherine": ["macos-expert"]}
    people = [
        {"id": name, "name": name.title(), "roles": roles[name], "keys": [keys[name].credential.model_dump()]}
        for name in roles
    ]
    command = {"kind": "command", "commands": [["make"]]}
    steps: list[dict[str, Any]] = [
        {"name": "source", "builder": command, "files": ["hello.tar.gz"]},
        {"name": "windows", "builder": command, "files": ["hello.exe"], "role": "windows-expert", "skippable": True},
        {"name": "macos", "builder": {"kind": "handed-in"}, "files": ["hello.pkg"], "role": "macos-expert"},
    ]
    return Plan.model_validate(
        {
            **PLAN,
            "unsigned_acts": False,
            "sboms": False,
            "queue": QUEUE,
            "steps": [{**step, "queue": QUEUE} for step in steps],
            "signers": [{**signer, "queue": QUEUE} for signer in signers],
            "gates": [
                {"name": "commit", "before": "build", "needs": {"release-manager": 1}},
                {"name": "publish", "before": "publish", "needs": {"release-manager": 2}},
            ],
            "targets": [{"kind": "sandbox", "name": "downloads", "queue": QUEUE}],
            "publish_evidence": True,
            "roster": {"people": people},
            **changes,
        }
    )


class Hands:
    """Stands in for whoever builds, signs files and moves them."""

    def __init__(self, store: LocalStore) -> None:
        self._store = store
        self.broken = 2
        """How many times the Windows build still fails."""

    def put(self, name: str) -> Artifact:
        content = f"content of {name}".encode()
        return Artifact(name=name, digest=self._store.put_bytes(content), size=len(content))

    @does(work.PREPARE_SOURCE)
    def prepare_source(self, what: work.PrepareSource) -> work.Source:
        source = what.source
        return work.Source(
            repository=source.repository,
            commit=source.commit,
            tag=source.tag,
            bundle=self.put("bundle").digest,
            epoch=1,
        )

    @does(work.BUILD_STEP)
    def build_step(self, what: work.BuildStep) -> work.Built:
        if what.step.name == "windows" and self.broken:
            self.broken -= 1
            raise ApplicationError("no <b>compiler</b>", type="Failed", non_retryable=True)
        made = self._store.put_set(ArtifactSet.of([self.put(name) for name in what.step.files]))
        return work.Built(step=what.step.name, commit=what.source.commit, artifacts=made, builder="a machine")

    @does(work.INSPECT_STEP)
    def inspect_step(self, what: work.InspectStep) -> work.Inspected:
        return work.Inspected(files=what.artifacts.files, archives=0)

    @does(work.SIGN_FILES)
    def sign_files(self, what: work.SignFiles) -> work.Signed:
        made = [self.put(f"{file.name}{what.signer.suffix}") for file in what.manifest.preview]
        return work.Signed(signer=what.signer, signatures=self._store.put_set(ArtifactSet.of(made)))

    @does(attesting.ATTEST_FILES)
    def attest_files(self, what: attesting.AttestFiles) -> SetRef:
        made = [self.put(f"{file.name}{attesting.PROVENANCE_SUFFIX}") for file in what.manifest.preview]
        return self._store.put_set(ArtifactSet.of(made))

    @does(work.VERIFY_SIGNATURES)
    def verify_signatures(self, what: work.VerifySignatures) -> work.Verified:
        return work.Verified(files=what.manifest.files, signatures=2 * what.manifest.files)

    @does(work.STAGE)
    def stage(self, what: work.Publish) -> work.Staged:
        return work.Staged(files=3 * what.manifest.files, total_bytes=9)

    @does(work.PROMOTE)
    def promote(self, what: work.Publish) -> work.Promoted:
        return work.Promoted(target=what.target.name, url="https://example.org/hello/1.0.0/")

    @does(work.CHECK_PUBLIC)
    def check_public(self, what: work.Publish) -> work.Seen:
        return work.Seen(files=what.manifest.files * (2 + len(what.signed)))

    @does(work.PUSH_TAG)
    def push_tag(self, what: work.PushTag) -> work.Pushed:
        return work.Pushed(commit=what.source.commit)

    @does(work.FORGET_SOURCE)
    def forget_source(self, _: work.ForgetSource) -> work.Undone:
        return work.Undone(detail="forgot the source")

    @does(work.TELL)
    def tell(self, _: work.Tell) -> work.Told:
        return work.Told(sent=True)


@dataclass
class Story:
    """One release, and those who speak to it."""

    handle: WorkflowHandle[Any, ReleaseStatus]
    plan: Plan
    keys: Keys

    async def until(self, condition: Callable[[ReleaseStatus], bool]) -> ReleaseStatus:
        status: ReleaseStatus
        async with asyncio.timeout(PATIENCE):
            while not condition(status := await self.handle.query("status", result_type=ReleaseStatus)):
                await asyncio.sleep(0.05)
        return status

    async def until_waiting(self, what: str) -> ReleaseStatus:
        return await self.until(lambda status: any(waiting.what == what for waiting in status.waiting))

    def act(self, kind: type[Act], status: ReleaseStatus, by: str, **facts: Any) -> Act:
        """What somebody says about the release as it stands."""
        about = {"release": status.release, "run": status.run, "subject": status.subject}
        when = {"at": datetime.now(UTC), "nonce": secrets.token_hex(16)}
        return kind.model_validate({**about, **when, "by": by, "role": "release-manager", **facts})

    async def send(self, kind: type[Act], message: object) -> Answer:
        update = kind.kind.replace("-", "_")
        answer: Answer = await self.handle.execute_update(update, message, result_type=Answer)
        return answer

    async def say(self, act: Act, *, signer: str | None = None, counts: bool = True) -> Any:
        """Sign an act with somebody's key, send it, and return the envelope."""
        envelope = json.loads(seal(statement_of(act), self.keys[signer or act.by]))
        answer = await self.send(type(act), envelope)
        assert answer.accepted is counts, answer.message
        return envelope


async def tell(story: Story, store: LocalStore, provided: Artifact, under_way: Callable[[], object]) -> ReleaseStatus:
    """What happens: refused and repeated acts, a new plan, a retry, a skip, a hand-in, a veto that is withdrawn."""
    say, act, until_waiting = story.say, story.act, story.until_waiting
    status = await until_waiting("commit")
    commit: dict[str, Any] = {"gate": "commit", "attempt": 1}
    await say(act(SignOff, status, "ada", **commit), signer="mallory", counts=False)
    await say(act(SignOff, status, "mallory", **commit), counts=False)
    await say(act(Claim, status, "katherine", role="macos-expert", reason="<script>alert(1)</script>"))
    second = story.plan.model_copy(update={"title": "Hello <again>"})
    await say(act(Replan, status, "ada", plan=store.put_bytes(canonical_json(second))))

    status = await story.until(lambda now: now.plan == second.digest and bool(now.waiting))
    await say(act(SignOff, status, "grace", **commit), counts=False)
    await say(act(SignOff, status, "grace", gate="commit", attempt=status.gates[0].attempt))
    windows: dict[str, Any] = {"step": "windows", "choice": "retry"}
    status = await until_waiting("windows")
    await say(act(Decision, status, "grace", attempt=1, **windows))
    status = await story.until(lambda now: any(w.what == "windows" and '"attempt":2' in w.message for w in now.waiting))
    skip = {**windows, "choice": "skip", "role": "windows-expert", "reason": "no compiler"}
    await say(act(Decision, status, "grace", attempt=2, **skip))
    status = await until_waiting("macos")
    digest = store.put_set(ArtifactSet.of([provided])).digest
    hand_in: dict[str, Any] = {"step": "macos", "attempt": 1, "choice": "provide", "provided": digest}
    await say(act(Decision, status, "katherine", role="macos-expert", **hand_in))

    status = await until_waiting("publish")
    await asyncio.to_thread(under_way)
    publish: dict[str, Any] = {"gate": "publish", "attempt": status.gates[-1].attempt}
    agreed = act(SignOff, status, "ada", **publish, reason="tested on <b>my</b> machine")
    envelope = await say(agreed)
    assert not (await story.send(SignOff, envelope)).accepted
    await say(act(Rejection, status, "grace", **publish, reason="the installer does not start"))
    await say(act(SignOff, status, "grace", **publish), counts=False)
    await say(act(Withdrawal, status, "grace", **publish))
    await say(act(SignOff, status, "grace", **{**publish, "subject": "sha256:" + "0" * 64}), counts=False)
    await say(act(SignOff, status, "grace", **publish))
    ended: ReleaseStatus = await story.handle.result()
    return ended


async def released(
    env: WorkflowEnvironment, settings: WorkerSettings, plan: Plan, keys: Keys, *, under_way: Callable[[], object]
) -> ReleaseStatus:
    """Run the whole story, and return what the release says of itself at its end.

    Args:
        env: the server.
        settings: the workers'.
        plan: what the release is started with.
        keys: people's.
        under_way: called while it waits at its last gate.
    """
    store = LocalStore(Path(settings.store))
    hands = Hands(store)
    hearing, collecting = HearActivities(store, settings), CollectActivities(store, settings)
    with ThreadPoolExecutor(8) as pool:
        worker = Worker(
            env.client,
            task_queue=QUEUE,
            workflows=[ReleaseWorkflow],
            activities=[
                *(getattr(hands, name) for name in vars(Hands) if not name.startswith("_") and name != "put"),
                *(hearing.prove_act, hearing.keep_plan, hearing.take_plan),
                *(collecting.take_provided, collecting.make_manifest),
                AttestActivities(store, settings).attest_release,
                EvidenceActivities(store).write_evidence,
                EvidenceSigning(store, settings).sign_evidence,
                EvidencePublishing(store, settings).publish_evidence,
            ],
            activity_executor=pool,
            interceptors=[Conduct(sandbox=True)],
        )
        async with worker:
            handle = await env.client.start_workflow(
                ReleaseWorkflow.run, Beginning(plan=plan), id=plan.release.workflow_id, task_queue=QUEUE
            )
            return await tell(Story(handle, plan, keys), store, hands.put("hello.pkg"), under_way)
