"""Real releases that people sign at home or a workflow elsewhere signs, and what is refused of those who may not."""

from __future__ import annotations

import asyncio
import json
import subprocess
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from baton.model.acts import Answer, Choice, Decision
from baton.model.manifest import Artifact, ArtifactSet, Manifest, SetRef
from baton.model.plan import Plan
from baton.model.roster import SigstoreIdentity
from baton.model.statement import statement_of
from baton.model.status import Phase, StepState, WaitKind
from baton.proof import seal
from baton.sandbox.sigstore import ISSUER
from baton.trust.identities import TrustedIdentities
from tests.e2e.desks import Desk, gnupg_home
from tests.e2e.elsewhere import IDENTITIES, OTHER, REPOSITORY
from tests.e2e.signers import Signers, signers_world
from tests.workflows.people import act

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from temporalio.testing import WorkflowEnvironment

    from baton.model.status import ReleaseStatus

pytestmark = pytest.mark.e2e
VERSION = "1.5"
SIGSTORE, GPG, DISPATCHED = "sign-sigstore-human", "sign-gpg-human", "sign-sigstore-dispatched"
HEDY, KATHERINE = (SigstoreIdentity(identity=f"{name}@example.org", issuer=ISSUER) for name in ("hedy", "katherine"))
WHO = "Who may sign, all files at once: ada as ada@example.org, or hedy as hedy@example.org"


@pytest.fixture(scope="module")
async def signers(folder: Path, temporal: WorkflowEnvironment) -> AsyncIterator[Signers]:
    with gnupg_home() as gnupg:
        async with signers_world(folder, gnupg, temporal.client) as world:
            yield world


def say(desk: Desk, *words: str, code: int = 0) -> Any:
    return asyncio.to_thread(desk, *words, code=code)


async def test_people_sign_by_digest_or_with_the_files_and_nobody_else_can(signers: Signers) -> None:
    await say(signers.ada, "start", VERSION, "-C", str(signers.project), "--yes")
    await signers.until_waiting(VERSION, "commit")
    await say(signers.katherine, "sign-off", "tiny/1.5", "commit", "--yes")
    await signers.until_waiting(VERSION, GPG)
    status = await signers.until_waiting(VERSION, SIGSTORE)
    assert {waiting.what: waiting.people for waiting in status.waiting} == {SIGSTORE: ("ada", "hedy"), GPG: ("grace",)}
    assert {waiting.kind for waiting in status.waiting} == {WaitKind.SIGNATURES}
    assert "$ baton sign tiny/1.5" in await say(signers.ada, "status", "tiny/1.5")

    # Before anything is signed: who is not listed, and who is signed in as somebody else.
    entries = signers.sigstore.log.head()
    assert WHO in await say(signers.katherine, "sign", "tiny/1.5", "--yes", "--sigstore", code=1)
    token = signers.ada.home / "katherines"
    token.write_text(signers.sigstore.tokens.for_person(KATHERINE.identity))
    said = await say(signers.ada, "sign", "tiny/1.5", "--yes", "--identity-token", str(token), code=1)
    assert f"you are signed in as katherine@example.org (issuer {ISSUER}). {WHO}. Nothing was signed" in said
    assert signers.sigstore.log.head() == entries

    # After it, whatever it was signed with: the release itself verifies what is handed in.
    await _refuse_what_does_not_count(signers, status)

    await say(signers.ada, "sign", "tiny/1.5", "--yes")
    await signers.until(VERSION, lambda status: _state(status, SIGSTORE) is StepState.DONE)
    said = await say(signers.ada, "sign", "tiny/1.5", "--yes", code=1)
    assert "waits for nobody's signatures" in said or "lists nothing of ada" in said
    await say(signers.grace, "sign", "tiny/1.5", "--yes")
    await signers.until_waiting(VERSION, "files")
    await say(signers.katherine, "sign-off", "tiny/1.5", "files", "--yes")
    status = await signers.until(VERSION, lambda status: status.phase is Phase.RELEASED)

    public = signers.served / "tiny/1.5"
    assert {file.name for file in public.iterdir()} == _signed(".sigstore.json", ".asc")
    for name in _signed():
        gpg = ["gpg", "--batch", "--verify", f"{public / name}.asc", str(public / name)]
        subprocess.run(gpg, env={"PATH": "/usr/bin:/bin", "GNUPGHOME": str(signers.gnupg)}, check=True)
    # Nothing of what signed is left on the machine, and the record of it all holds without any signer's key.
    assert not list(signers.ada.home.glob(".local/state/baton/signatures/*"))
    evidence = str(signers.hedy.home / "evidence")
    await say(signers.hedy, "evidence", "export", "tiny/1.5", "--to", evidence)
    await say(signers.hedy, "evidence", "verify", evidence, "--trust-config", str(signers.trust_config))


async def test_a_sign_in_alone_is_enough_where_nobody_signs_with_gpg(signers: Signers) -> None:
    await say(signers.ada, "start", "2.0", "-C", str(signers.project), "--yes")
    await signers.until_waiting("2.0", "commit")
    await say(signers.katherine, "sign-off", "tiny/2.0", "commit", "--yes")
    await signers.until_waiting("2.0", SIGSTORE)
    await say(signers.ada, "sign", "tiny/2.0", "--yes")
    await signers.until_waiting("2.0", "files")
    await say(signers.katherine, "sign-off", "tiny/2.0", "files", "--yes")
    status = await signers.until("2.0", lambda status: status.phase is Phase.RELEASED)
    assert {file.name for file in (signers.served / "tiny/2.0").iterdir()} == _signed(".sigstore.json")
    assert await _verified(signers, status, status)

    # It is signed anew in the same way: nobody but people vouches for which files it has, so they agree to a list.
    sums = signers.ada.home / "SHA256SUMS"
    public = signers.served / "tiny/2.0"
    sums.write_text("".join(f"{sha256((public / name).read_bytes()).hexdigest()}  {name}\n" for name in _signed()))
    await say(signers.ada, "resign", "2.0", "-C", str(signers.project), "--yes", "--replace", "--digests", str(sums))
    await signers.until_waiting("2.0", "files-files", purpose="resign")
    await say(signers.katherine, "sign-off", "resign/tiny/2.0", "files-files", "--yes")
    await signers.until_waiting("2.0", SIGSTORE, purpose="resign")
    await say(signers.ada, "sign", "resign/tiny/2.0", "--yes")
    await signers.until_waiting("2.0", "files", purpose="resign")


async def test_a_workflow_elsewhere_signs_by_digest_and_only_as_itself(signers: Signers) -> None:
    elsewhere = signers.elsewhere
    await say(signers.ada, "start", "3.0", "-C", str(signers.project), "--yes")
    await signers.until_waiting("3.0", "commit")
    await say(signers.katherine, "sign-off", "tiny/3.0", "commit", "--yes")

    # The run was started by a worker that died before anybody knew; what it signed as another workflow does not count.
    status = await signers.until_waiting("3.0", DISPATCHED)
    assert not list(signers.deaths.iterdir())
    assert elsewhere.simulator.runs.dispatches == 1
    (waiting,) = status.waiting
    assert f"it is by {IDENTITIES[OTHER]} " in waiting.why
    assert f"Who has to sign: {IDENTITIES[REPOSITORY]}" in waiting.why

    elsewhere.runs_as(REPOSITORY)
    await say(signers.katherine, "decide", "tiny/3.0", DISPATCHED, "retry", "--yes")
    await signers.until_waiting("3.0", "files")
    assert elsewhere.simulator.runs.dispatches == 2
    await say(signers.katherine, "sign-off", "tiny/3.0", "files", "--yes")
    status = await signers.until("3.0", lambda status: status.phase is Phase.RELEASED)
    assert {file.name for file in (signers.served / "tiny/3.0").iterdir()} == _signed(".sigstore.json")
    assert await _verified(signers, status, status)
    assert not await _verified(signers, status, await signers.until("2.0", lambda _: True))


def _signed(*suffixes: str) -> set[str]:
    """The names of a release's files and of their signatures."""
    return {f"{name}{suffix}" for name in ("tiny.txt", "tiny.txt.spdx.json") for suffix in ("", *suffixes)}


async def _verified(signers: Signers, public: ReleaseStatus, trusted: ReleaseStatus) -> bool:
    """What ``baton verify`` says of a release's files, where those count who sign another's."""
    plan = Plan.model_validate_json(signers.store.read(trusted.plan))
    document = TrustedIdentities.of_plan(plan, issued=datetime.now(UTC).date())
    (stream,) = document.streams
    own = document.model_copy(update={"streams": (stream.model_copy(update={"name": public.stream}),)})
    identities = signers.hedy.home / "identities.json"
    identities.write_text(own.model_dump_json(by_alias=True))
    version = public.release.version
    given = ("--identities", str(identities), "--trust-config", str(signers.trust_config), "--version", version)
    done = await asyncio.to_thread(
        signers.hedy._run, "verify", str(signers.served / "tiny" / version), *given, "--json"
    )
    verdict: bool = json.loads(done.stdout)["ok"]
    return verdict


async def _refuse_what_does_not_count(signers: Signers, status: ReleaseStatus) -> None:
    assert status.manifest is not None
    manifest = Manifest.model_validate_json(signers.store.read(status.manifest.digest))
    files = [Artifact(name=file.name, digest=file.digest, size=file.size) for file in manifest.files]
    right = await asyncio.to_thread(signers.bundles, files, HEDY)
    unlisted = await asyncio.to_thread(signers.bundles, files[:1], KATHERINE)
    first, second = right
    wrong: list[tuple[Mapping[str, bytes], str]] = [
        ({**right, **unlisted}, f"it is by katherine@example.org (issuer {ISSUER}), who does not count here"),
        ({**right, first: _altered(right[first])}, f"{first}: "),
        ({first: right[second], second: right[first]}, f"{first}: "),
        ({first: right[first]}, f"{second}: it is not there"),
        ({**right, "other.txt.sigstore.json": right[first]}, "other.txt.sigstore.json is a signature of no file"),
    ]
    for attempt, (signatures, why) in enumerate(wrong, start=1):
        answer = await _hand_in(signers, status, signatures, attempt)
        assert answer.accepted, answer.message
        waiting = await signers.until(VERSION, lambda now, to=attempt + 1: _waits(now, to))  # type: ignore[misc]  # mypy infers no lambda with defaults
        (fact,) = (each.why for each in waiting.waiting if each.what == SIGSTORE)
        assert why in fact
        assert WHO in fact


async def _hand_in(signers: Signers, status: ReleaseStatus, signatures: Mapping[str, bytes], attempt: int) -> Answer:
    made = [
        Artifact(name=name, digest=signers.store.put_bytes(content), size=len(content))
        for name, content in signatures.items()
    ]
    handed_in = ArtifactSet.of(made)
    signers.store.put_set(handed_in)
    said = {"choice": Choice.PROVIDE, "provided": SetRef.to(handed_in).digest, "attempt": attempt}
    decision = act(Decision, status, "hedy", step=SIGSTORE, **said)
    message = json.loads(seal(statement_of(decision), signers.hedys_key))
    answer: Answer = await signers.release(VERSION).execute_update("decide", message, result_type=Answer)
    return answer


def _altered(bundle: bytes) -> bytes:
    """The bundle with another signature in it, well-formed as it is."""
    content = json.loads(bundle)
    signature = content["messageSignature"]["signature"]
    content["messageSignature"]["signature"] = signature[:20] + ("A" if signature[20] != "A" else "B") + signature[21:]
    return json.dumps(content).encode()


def _state(status: ReleaseStatus, unit: str) -> StepState:
    return next(step.state for step in status.steps if step.name == unit)


def _waits(status: ReleaseStatus, attempt: int) -> bool:
    return any(
        step.attempt == attempt and step.state is StepState.NEEDS_DECISION
        for step in status.steps
        if step.name == SIGSTORE
    )
