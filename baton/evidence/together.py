"""What people agreed to for all streams of a security release, as the evidence of one of them has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.evidence.result import bad, good
from baton.model.acts import Replan
from baton.model.base import counted
from baton.model.errors import BatonError
from baton.model.plan import JOINT_GATE
from baton.model.security import JointManifest, JointStream
from baton.proof.agreement import agreed_again

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from baton.evidence.chain import Said
    from baton.evidence.folder import Folder
    from baton.evidence.result import Check
    from baton.model.acts import Run
    from baton.model.base import Digest, Name
    from baton.model.gate import GateResult
    from baton.model.plan import Barrier, Plan
    from baton.model.roster import Roster
    from baton.proof import Sigstore

JOINT = "joint.json"
"""The joint manifest."""

_SUBJECT = f"gate {JOINT_GATE}"


def envelopes_of(joint: GateResult) -> set[Digest]:
    """The digests of what people signed at the joint gate."""
    return {given.proof.envelope for given in joint.given if given.proof is not None}


def agreed_together(
    folder: Folder, plan: Plan, said: Sequence[Said], *, own: Roster | None, sigstore: Sigstore
) -> Iterator[Check]:
    """Whether people agreed to exactly this stream as part of the whole, and it went public when they said it may.

    It is the rule by which the workers that sign and publish judge, by the evidence alone.

    Args:
        folder: the evidence.
        plan: the plan that the stream followed to the end.
        said: what people said to the stream itself.
        own: the verifier's own roster, in place of the plan's.
        sigstore: whose certificates count for people.

    Raises:
        Unreadable: the joint manifest is not there, or not what it has to be.
    """
    told, barrier = folder.record.joint, plan.barrier
    if barrier is None:
        if told is not None:
            yield bad(_SUBJECT, "is told of, but the plan belongs to no security release")
        return
    if told is None:
        if folder.index.complete:
            yield bad(_SUBJECT, f"of {barrier.security} is not told of, so that nobody agreed to what went public")
        return
    joint = folder.parsed(JOINT, JointManifest)
    replanned = [one.act.by for one in said if one.heard.accepted and isinstance(one.act, Replan)]
    planners = dict.fromkeys((plan.started_by, *replanned[-1:], *told.excluded))
    asked = _asked(barrier, told, tuple(planners), run=joint.run, subject=folder.digest(JOINT))
    faults = [
        *_about_another(folder, plan, joint, told),
        *_unlike(asked, told),
        *_too_early(joint, told, folder),
        *_lacking(folder, asked, told, own or plan.roster, sigstore, unsigned=plan.unsigned_acts),
    ]
    yield from (bad(_SUBJECT, fault) for fault in faults)
    if not faults:
        by = "; ".join(str(given) for given in told.given)
        streams = counted(len(joint.streams), "stream")
        yield good(_SUBJECT, f"of {joint.release}, asked about {told.subject}, {streams}, this one among them: {by}")


def _asked(barrier: Barrier, told: GateResult, planners: tuple[Name, ...], *, run: Run, subject: Digest) -> GateResult:
    """The gate before anybody agreed. Of what is told, only what makes it harder to pass is believed."""
    gate = barrier.gate
    return told.model_copy(
        update={
            "gate": gate.name,
            "run": run,
            "subject": subject,
            "needs": gate.needs,
            "excluded": () if gate.starter_counts else planners,
            "given": (),
            "passed_at": None,
        }
    )


def _about_another(folder: Folder, plan: Plan, joint: JointManifest, told: GateResult) -> Iterator[str]:
    """Why the joint manifest is not the one that people were asked about, or names another stream than this."""
    if (kept := folder.digest(JOINT)) != told.subject:
        yield f"asked about {told.subject}; {JOINT} is {kept}"
    if plan.barrier is None or folder.index.manifest is None:
        return
    ours = JointStream(
        version=plan.version, commit=plan.source.commit, manifest=folder.index.manifest, plan=folder.index.plan
    )
    if objection := joint.objection_to(plan.barrier.security, ours):
        yield objection


def _unlike(asked: GateResult, told: GateResult) -> Iterator[str]:
    for fact in ("gate", "run", "needs", "excluded"):
        came, expected = getattr(told, fact), getattr(asked, fact)
        if came != expected:
            yield f"has {fact} {came}; by the plan and the joint manifest it has {expected}"


def _too_early(joint: JointManifest, told: GateResult, folder: Folder) -> Iterator[str]:
    passed = told.passed_at
    if passed is None:
        yield "did not pass"
        return
    if joint.until is not None and passed < joint.until:
        yield f"passed at {passed}, before the embargo ended at {joint.until}"
    moments = [told.opened, *sorted(given.at for given in told.given), passed, folder.index.at]
    if moments != sorted(moments):
        yield f"was opened at {told.opened} and passed at {passed}, and what people said or the evidence is not between"


def _lacking(
    folder: Folder, asked: GateResult, told: GateResult, roster: Roster, sigstore: Sigstore, *, unsigned: bool
) -> Iterator[str]:
    """What of people's agreement is not proven."""
    if unsigned and any(given.proof is None for given in told.given):
        # A rehearsal that takes people at their word has nothing to prove.
        derived = asked.model_copy(update={"given": told.given})
    else:
        try:
            derived = agreed_again(
                asked, told.given, roster, read=folder.read, when=lambda given: given.at, sigstore=sigstore
            )
        except BatonError as error:
            yield str(error)
            return
    if not derived:
        yield f"did not pass: {derived}"
    elif derived.given != told.given:
        yield f"is told with {_people(told)}; what people signed gives {_people(derived)}"


def _people(result: GateResult) -> str:
    return "; ".join(f"{given} ({given.reason})" if given.reason else str(given) for given in result.given) or "nobody"
