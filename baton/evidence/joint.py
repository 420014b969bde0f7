"""The record of a security release: what people agreed to, with what proves it, and each stream's own evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.evidence.folder import Unreadable, parse_document, read_folder
from baton.evidence.own import own_rules
from baton.evidence.result import Check, Verdict, bad, good
from baton.evidence.verify import verify_evidence
from baton.model.base import Value, canonical_json, digest_of
from baton.model.errors import BatonError, Conflict, Failed, Missing, Refused
from baton.model.gate import GateResult
from baton.model.plan import JOINT_GATE, Plan
from baton.model.security import JointManifest, JointStream
from baton.model.signing import SigstoreInstance
from baton.proof import Sigstore
from baton.proof.agreement import agreed_again

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from baton.model.base import Digest
    from baton.model.roster import Roster

JOINT = "joint.json"
"""What people agreed to: versions, commits, plans and manifests, whose digest their statements name."""

GATE = "gate.json"
"""The joint gate as it passed."""

ENVELOPES = "envelopes"
"""The signed statements of the gate, by their digests."""

STREAMS = "streams"
"""The evidence of each stream, in a folder that is called as its version."""


class JointResult(Value):
    """What is known of a security release's evidence.

    Attributes:
        joint: what people agreed to.
        rehearsal: whether something that counted is signed by nobody, as a rehearsal may have it.
    """

    joint: JointManifest
    rehearsal: bool
    checks: tuple[Check, ...]

    @property
    def failures(self) -> tuple[str, ...]:
        """One line for each thing that is wrong."""
        return tuple(f"{check.subject}: {check.fact}" for check in self.checks if not check.ok)

    @property
    def verdict(self) -> Verdict:
        """What the evidence is worth."""
        if self.failures:
            return Verdict.FAILED
        return Verdict.REHEARSAL if self.rehearsal else Verdict.VERIFIED

    def __bool__(self) -> bool:
        return self.verdict is Verdict.VERIFIED


def gather_joint(gate: GateResult, read: Callable[[Digest], bytes]) -> dict[str, bytes]:
    """The documents of the whole, by their paths in the folder; the streams' evidence is exported beside them.

    Args:
        gate: the joint gate as it passed.
        read: the content of a digest, from the store.

    Raises:
        BatonError: as ``read`` does; the store lacks the joint manifest or an envelope.
    """
    proven = {given.proof.envelope for given in gate.given if given.proof is not None}
    envelopes = {_envelope(digest): read(digest) for digest in sorted(proven)}
    return {JOINT: read(gate.subject), GATE: canonical_json(gate), **envelopes}


def write_joint(documents: Mapping[str, bytes], to: Path) -> None:
    """Write these documents into a folder; harmless if they are there.

    Raises:
        Conflict: something else is in the folder.
        Failed: they can't be written.
    """
    try:
        for name, content in documents.items():
            file = to / name
            file.parent.mkdir(parents=True, exist_ok=True)
            if file.exists() and file.read_bytes() != content:
                raise Conflict(f"{file} is there already, and holds something else: name another folder")
            file.write_bytes(content)
    except OSError as error:
        raise Failed(f"{to} can't be written: {error}") from error


def verify_joint(
    path: Path, *, roster: Path | None = None, trust_config: Path | None = None, offline: bool = False
) -> JointResult:
    """Verify the evidence of a security release: each stream's own, and that people agreed to exactly these together.

    Nobody signs the folder as a whole. What holds it together is what people signed: the joint gate is derived again
    from their statements, and each stream's evidence has to be of what these name.

    Args:
        path: the folder.
        roster: the verifier's own ``release.toml``, whose rules count instead of the plans'.
        trust_config: a Sigstore client trust configuration, for another instance than the public ones.
        offline: take Sigstore's trust root as it is at hand.

    Raises:
        Missing: there is no such evidence in the folder.
        Unreadable: what is there is none.
        BatonError: as :func:`baton.evidence.verify.verify_evidence`.
    """
    joint = parse_document(JOINT, _content(path / JOINT), JointManifest)
    gate = parse_document(GATE, _content(path / GATE), GateResult)
    checks = list(_same_streams(path, joint))
    rehearsal = any(given.proof is None for given in gate.given)
    for stream in joint.streams:
        folder = path / STREAMS / stream.version
        if not folder.is_dir():
            continue
        result = verify_evidence(folder, roster=roster, trust_config=trust_config, offline=offline)
        rehearsal |= result.verdict is Verdict.REHEARSAL
        checks += [bad(f"{stream.version} {check.subject}", check.fact) for check in result.checks if not check.ok]
        plan = read_folder(folder)[0].plan
        checks += _as_agreed(stream, joint, plan, manifest=result.manifest, followed=result.plan)
        own = None if roster is None else own_rules(roster, read_folder(folder)[0]).roster
        instance = SigstoreInstance.SANDBOX if plan.sandbox else SigstoreInstance.PUBLIC
        sigstore = Sigstore(instance, trust_config, offline)
        # Each stream's plan has to agree about who decides, so that each derives the gate for itself.
        checks.append(_agreed(path, joint, gate, plan, roster=own or plan.roster, sigstore=sigstore))
    return JointResult(joint=joint, rehearsal=rehearsal, checks=tuple(checks))


def _same_streams(path: Path, joint: JointManifest) -> Iterator[Check]:
    agreed = {stream.version for stream in joint.streams}
    there = {folder.name for folder in (path / STREAMS).iterdir()} if (path / STREAMS).is_dir() else set()
    for version in sorted(agreed - there):
        yield bad(version, "people agreed to it, but its evidence is not there")
    for version in sorted(there - agreed):
        yield bad(version, "its evidence is there, but people did not agree to it")


def _as_agreed(
    stream: JointStream, joint: JointManifest, plan: Plan, *, manifest: Digest | None, followed: Digest
) -> Iterator[Check]:
    came = (plan.version, plan.source.commit, manifest, followed)
    expected = (stream.version, stream.commit, stream.manifest, stream.plan)
    if came != expected:
        yield bad(
            stream.version, f"is commit {came[1]}, manifest {came[2]}, plan {came[3]}; people agreed to {expected}"
        )
    elif plan.barrier is None or plan.barrier.security != joint.release:
        yield bad(stream.version, f"its plan is of another release than {joint.release}")
    else:
        yield good(stream.version, f"commit {stream.commit}, manifest {stream.manifest}, as people agreed")


def _agreed(
    path: Path, joint: JointManifest, told: GateResult, plan: Plan, *, roster: Roster, sigstore: Sigstore
) -> Check:
    """The joint gate by one stream's plan, derived again from what people signed."""
    subject = f"gate {JOINT_GATE} for {plan.version}"
    if plan.barrier is None:
        return bad(subject, "its plan has no such gate")
    gate = plan.barrier.gate
    asked = GateResult(
        gate=JOINT_GATE,
        attempt=told.attempt,
        run=joint.run,
        subject=joint.digest,
        needs=gate.needs,
        excluded=() if gate.starter_counts else tuple(dict.fromkeys((plan.started_by, *told.excluded))),
        opened=told.opened,
    )
    if joint.until is not None and (told.passed_at is None or told.passed_at < joint.until):
        return bad(subject, f"passed at {told.passed_at}, before the embargo ended at {joint.until}")
    signed = [given for given in told.given if given.proof is not None]
    if len(signed) < len(told.given) and plan.unsigned_acts:
        return good(subject, "somebody agreed UNSIGNED, as this rehearsal allows")
    try:
        result = agreed_again(
            asked,
            told.given,
            roster,
            read=lambda digest: _enveloped(path, digest),
            when=lambda given: given.at,
            sigstore=sigstore,
        )
    except BatonError as error:
        return bad(subject, error)
    if not result:
        return bad(subject, f"did not pass: {result}")
    return good(subject, f"asked about {joint.digest}: {'; '.join(map(str, result.given))}")


def _enveloped(path: Path, digest: Digest) -> bytes:
    content = _content(path / _envelope(digest))
    if digest_of(content) != digest:
        raise Refused(f"{_envelope(digest)} is {digest_of(content)}; expected {digest}")
    return content


def _envelope(digest: Digest) -> str:
    return f"{ENVELOPES}/{digest.removeprefix('sha256:')}.json"


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError as error:
        raise Missing(f"{file} is not there: this is no evidence of a security release") from error
    except OSError as error:
        raise Unreadable(f"{file} can't be read: {error}") from error
