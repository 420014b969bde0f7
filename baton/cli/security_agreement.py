"""Speaking at the joint gate: seeing what every stream ships, and agreeing to all of it at once, or objecting."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from baton.cli.agreement import role_at_gate
from baton.cli.last_release import Before, last_release
from baton.cli.security_agreement_page import security_agreement_page
from baton.cli.security_sight import Sight, look
from baton.cli.session import with_releases
from baton.cli.speech import Question, speak
from baton.cli.stored_manifest import stored_manifest
from baton.cli.units import moment
from baton.model.acts import SignOff
from baton.model.errors import Refused
from baton.model.gate import consider
from baton.model.plan import JOINT_GATE
from baton.model.status import Phase

if TYPE_CHECKING:
    from baton.cli.place import Place
    from baton.cli.releases import Releases
    from baton.cli.speech import Manner, Speaker
    from baton.model.acts import AboutGate
    from baton.model.gate import GateResult
    from baton.model.manifest import Manifest, ManifestRef
    from baton.model.security import JointManifest, JointStream, SecurityPlan
    from baton.model.status import StepStatus


@dataclass(frozen=True)
class Shipped:
    """What one stream is about to ship.

    Attributes:
        joint: as people agree to it.
        told: its manifest as its release tells it.
        listed: the manifest itself, from the store; None where that is not at hand.
        checks: what was checked of it.
        before: what the stream released last, if that is known.
    """

    joint: JointStream
    told: ManifestRef
    listed: Manifest | None
    checks: tuple[StepStatus, ...]
    before: Before | None


@dataclass(frozen=True)
class JointlyAsked:
    """What the joint gate asks about."""

    plan: SecurityPlan
    result: GateResult
    joint: JointManifest
    streams: tuple[Shipped, ...]


def speak_at_joint_gate(
    kind: type[AboutGate], place: Place, text: str | None, *, speaker: Speaker, manner: Manner
) -> None:
    """Show what every stream is about to ship, ask, and send what the person says about all of it.

    Args:
        kind: a sign-off, a rejection or a withdrawal.
        place: where the security release is.
        text: its name as it was typed; None for the only one under way.
        speaker: who speaks.
        manner: how.

    Raises:
        typer.Exit: they thought better of it, or the security release did not accept it.
        BatonError: there is none, its gate does not ask, what they say could not count, or no answer came.
    """
    asked = with_releases(place, lambda releases: jointly_asked(releases, place, text))
    act = joint_act(kind, asked, speaker)
    speak(place, asked.plan, act, _question(asked, act), speaker=speaker, manner=manner)


def joint_act(kind: type[AboutGate], asked: JointlyAsked, speaker: Speaker) -> AboutGate:
    """What somebody says about what the joint gate asks about.

    Raises:
        Refused: it could not count: nobody should touch a key for that.
    """
    person = speaker.on(asked.plan.roster)
    act = kind(
        release=asked.plan.release,
        gate=JOINT_GATE,
        attempt=asked.result.attempt,
        run=asked.result.run,
        subject=asked.joint.digest,
        by=person.id,
        role=role_at_gate(kind, asked.result, person, speaker.role),
        reason=speaker.reason,
    )
    # The security release's own rule.
    _, answer = consider(asked.result, act, asked.plan.roster, datetime.now(UTC))
    if not answer.accepted:
        raise Refused(answer.message)
    return act


def _question(asked: JointlyAsked, act: AboutGate) -> Question:
    verb = {"sign-off": "Sign off", "reject": "Reject", "withdraw": "Withdraw what you said about"}[act.kind]
    versions = ", ".join(stream.joint.version for stream in asked.streams)
    return Question(
        security_agreement_page(asked, act),
        f"{verb} {asked.plan.release.project} {versions} as {act.by}, {act.role}?",
        # What becomes public can't be taken back.
        typed=asked.plan.release.project if isinstance(act, SignOff) else None,
    )


async def jointly_asked(releases: Releases, place: Place, text: str | None) -> JointlyAsked:
    """What the joint gate asks about now, stream by stream.

    Args:
        releases: where it is looked for.
        place: where the store is.
        text: the security release's name as it was typed; None for the only one under way.

    Raises:
        Refused: it does not ask now, or what a stream ships is not what the joint manifest names.
        BatonError: there is none, or no answer came.
    """
    handle = await releases.securities.find(text)
    handle.require_under_way()
    plan = await handle.plan()
    sight = await look(releases, handle)
    result = _open_gate(sight)
    joint = await handle.joint()
    if joint is None or joint.digest != result.subject:
        raise Refused(f"what the streams ship has just changed: look again with `baton security status`; {result}")
    streams = [await _shipped(releases, place, plan, sight, stream) for stream in joint.streams]
    return JointlyAsked(plan, result, joint, tuple(streams))


def _open_gate(sight: Sight) -> GateResult:
    status, result = sight.status, sight.status.gate
    if result is None:
        waits = "; ".join(f"{stream.version} is {stream.state}" for stream in status.streams)
        raise Refused(f"gate {JOINT_GATE} does not ask yet: {waits}")
    if result.passed_at is not None:
        who = ", ".join(given.by for given in result.given)
        raise Refused(f"gate {JOINT_GATE} passed at {moment(result.passed_at)}, signed off by {who}")
    return result


async def _shipped(releases: Releases, place: Place, plan: SecurityPlan, sight: Sight, joint: JointStream) -> Shipped:
    """What one stream ships, compared with what people are asked to agree to; nobody should agree where they differ."""
    status, planned = sight.streams.get(joint.version), plan.plan_of(joint.version)
    if status is None or status.manifest is None or planned is None:
        raise Refused(f"the release of {joint.version} does not say what it ships: do not agree before it does")
    if (status.manifest.digest, status.plan) != (joint.manifest, joint.plan):
        raise Refused(
            f"{joint.version} is at manifest {status.manifest.digest} of plan {status.plan}; the joint manifest names "
            f"{joint.manifest} of plan {joint.plan}: do not agree"
        )
    checks = tuple(step for step in status.steps if step.phase is Phase.COLLECT)
    listed = stored_manifest(place, status.manifest)
    if listed is not None and (listed.plan, listed.version) != (joint.plan, joint.version):
        raise Refused(f"manifest {joint.manifest} is of {listed.version}, plan {listed.plan}: do not agree")
    before = await last_release(releases, place, planned)
    return Shipped(joint, status.manifest, listed, checks, before)
