"""Speaking at a gate: seeing what it asks about, and agreeing to exactly that, objecting, or taking that back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from baton.cli.agreement_page import agreement_page
from baton.cli.listed_files import listed_in_store
from baton.cli.names import parse_digest, parse_release
from baton.cli.person import fitting_roles, only_role
from baton.cli.session import with_releases
from baton.cli.speech import Question, speak
from baton.cli.units import moment
from baton.model.acts import AboutGate, SignOff
from baton.model.errors import Missing, Refused
from baton.model.gate import GateResult, consider
from baton.model.plan import GatePoint
from baton.model.status import Phase

if TYPE_CHECKING:
    from baton.cli.place import Place
    from baton.cli.releases import Releases
    from baton.cli.speech import Manner, Speaker
    from baton.model.manifest import ManifestRef
    from baton.model.plan import Gate, Plan
    from baton.model.roster import Person
    from baton.model.status import ReleaseStatus, StepStatus
    from baton.model.version import ReleaseId


@dataclass(frozen=True)
class Asked:
    """What a gate asks about.

    Attributes:
        gate: as the plan has it.
        result: as it stands.
        seen: whether the release itself was asked.
        manifest: what would be published; None before there is one, and when the release was not asked.
        checks: what was checked, of Baton's own and of the project's.
    """

    plan: Plan
    gate: Gate
    result: GateResult
    seen: bool
    manifest: ManifestRef | None = None
    checks: tuple[StepStatus, ...] = ()

    @classmethod
    def of(cls, plan: Plan, status: ReleaseStatus, name: str, *, expected: str | None = None) -> Asked:
        """What a gate of that name asks about now.

        Raises:
            Missing: the plan has no such gate.
            Refused: it does not ask now, or asks about another digest than was expected.
        """
        gate = planned_gate(plan, name)
        result = open_gate(status, name, expected=expected)
        if gate.before is GatePoint.BUILD and result.subject != plan.digest:
            raise Refused(f"gate {name} asks about plan {result.subject}; {plan.release} began with {plan.digest}")
        checks = tuple(step for step in status.steps if step.phase is Phase.COLLECT)
        return cls(plan, gate, result, True, status.manifest, checks)


@dataclass(frozen=True)
class Expected:
    """What a person expects a gate to ask about.

    Attributes:
        subject: the digest; None for whatever it is.
        attempt: the gate's attempt, where the release is not asked.
    """

    subject: str | None = None
    attempt: int = 1


def speak_at_gate(
    kind: type[AboutGate], place: Place, text: str, gate: str, *, speaker: Speaker, manner: Manner, expected: Expected
) -> None:
    """Show what a gate asks about, ask, and send what the person says about it.

    Args:
        kind: a sign-off, a rejection or a withdrawal.
        place: where the release is.
        text: the release as it was typed.
        gate: its name.
        speaker: who speaks.
        manner: how. A signal with a subject is sent without asking the release anything, so no worker has to be up.
        expected: what they expect to be asked.

    Raises:
        typer.Exit: they thought better of it, or the release did not accept it.
        BatonError: there is no such release or gate, what they say could not count, or no answer came.
    """
    release = parse_release(text)
    asked = _look(place, release, gate, expected, blind=manner.signal)
    person = speaker.on(asked.plan.roster)
    act = kind(
        release=release,
        gate=gate,
        attempt=asked.result.attempt,
        run=asked.result.run,
        subject=asked.result.subject,
        by=person.id,
        role=role_at_gate(kind, asked.result, person, speaker.role),
        reason=speaker.reason,
    )
    if asked.seen:
        # The release's own rule, before anyone touches a key for what can't count.
        _, answer = consider(asked.result, act, asked.plan.roster, datetime.now(UTC))
        if not answer.accepted:
            raise Refused(answer.message)
    listed = asked.manifest is not None and listed_in_store(place, asked.plan, asked.manifest)
    speak(place, asked.plan, act, _question(asked, act, listed=listed), speaker=speaker, manner=manner)


def _look(place: Place, release: ReleaseId, gate: str, expected: Expected, *, blind: bool) -> Asked:
    async def look(releases: Releases) -> Asked:
        handle = await releases.open(release)
        plan = await handle.plan()
        if blind and expected.subject is not None:
            planned = planned_gate(plan, gate)
            return Asked(plan, planned, _unseen(planned, handle.run, expected.subject, expected.attempt), seen=False)
        return Asked.of(plan, await handle.status(), gate, expected=expected.subject)

    return with_releases(place, look)


def role_at_gate(kind: type[AboutGate], result: GateResult, person: Person, wanted: str | None) -> str:
    """The role to speak in: for a sign-off one that is missing, and the one they have spoken in if they have.

    Args:
        kind: what they say.
        result: the gate as it stands.
        person: who speaks.
        wanted: the role they asked for, if they did.

    Raises:
        Refused: they have none that fits, or several.
    """
    what = f"gate {result.gate}"
    spoken = next((given.role for given in (*result.given, *result.rejected) if given.by == person.id), None)
    if spoken is not None and wanted in (None, spoken):
        return spoken
    if kind is SignOff:
        return only_role(fitting_roles(person, result.missing or result.needs, wanted, what=what), what=what)
    return fitting_roles(person, result.needs, wanted, what=what)[0]


def _question(asked: Asked, act: AboutGate, *, listed: bool) -> Question:
    verb = {"sign-off": "Sign off", "reject": "Reject", "withdraw": "Withdraw what you said about"}[act.kind]
    # What becomes public can't be taken back.
    final = isinstance(act, SignOff) and asked.gate.before is GatePoint.PUBLISH
    return Question(
        agreement_page(asked, act, listed=listed),
        f"{verb} gate {act.gate} of {act.release} as {act.by}, {act.role}?",
        typed=asked.plan.version if final else None,
    )


def planned_gate(plan: Plan, name: str) -> Gate:
    """The gate of that name.

    Raises:
        Missing: the plan has none.
    """
    for gate in plan.gates:
        if gate.name == name:
            return gate
    raise Missing(f"{plan.release} has no gate {name}; gates: {', '.join(gate.name for gate in plan.gates)}")


def open_gate(status: ReleaseStatus, name: str, *, expected: str | None = None) -> GateResult:
    """The facts of a gate that people are asked about now.

    Args:
        status: of the release.
        name: the gate's.
        expected: the digest that it should ask about, if that is known.

    Raises:
        Refused: it does not ask yet, has passed, or asks about another digest.
    """
    result = next((result for result in status.gates if result.gate == name), None)
    if result is None:
        raise Refused(f"gate {name} of {status.release} is not open yet: the release is in phase {status.phase}")
    if result.passed_at is not None:
        who = ", ".join(given.by for given in result.given)
        raise Refused(f"gate {name} of {status.release} passed at {moment(result.passed_at)}, signed off by {who}")
    if expected not in (None, result.subject):
        raise Refused(f"gate {name} asks about {result.subject}, not about {expected}: look at what is there now")
    return result


def _unseen(gate: Gate, run: str, subject: str, attempt: int) -> GateResult:
    """A gate as the plan has it, about what the person says they looked at."""
    return GateResult(
        gate=gate.name,
        attempt=attempt,
        run=run,
        subject=parse_digest(subject),
        needs=dict(gate.needs),
        opened=datetime.now(UTC),
    )
