"""Signing off: seeing what a gate asks about, and agreeing to exactly that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from baton.cli.agreement_page import agreement_page
from baton.cli.names import parse_digest, parse_release
from baton.cli.person import GitIdentity, find_person, fitting_roles, only_role
from baton.cli.session import with_releases
from baton.cli.speech import speak
from baton.cli.terminal import notes
from baton.cli.units import moment
from baton.model.acts import SignOff
from baton.model.errors import Missing, Refused
from baton.model.gate import GateResult
from baton.model.plan import GatePoint

if TYPE_CHECKING:
    from baton.cli.place import Place
    from baton.cli.releases import Releases
    from baton.cli.speech import Manner, Speaker
    from baton.model.manifest import ManifestRef
    from baton.model.plan import Gate, Plan
    from baton.model.status import ReleaseStatus


@dataclass(frozen=True)
class Asked:
    """What a gate asks about.

    Attributes:
        gate: as the plan has it.
        result: as it stands.
        manifest: what would be published; None before there is one, and when the release was not asked.
    """

    plan: Plan
    gate: Gate
    result: GateResult
    manifest: ManifestRef | None


def agree(
    place: Place, text: str, gate: str, speaker: Speaker, manner: Manner, *, subject: str | None, attempt: int
) -> None:
    """Show what a gate asks about, ask, and send the sign-off.

    Args:
        place: where the release is.
        text: the release as it was typed.
        gate: its name.
        speaker: who signs off.
        manner: how. A signal with a subject is sent without asking the release anything, so no worker has to be up.
        subject: the digest that they expect, if they said.
        attempt: the gate's attempt, where the release is not asked.

    Raises:
        typer.Exit: they thought better of it, or the release did not accept it.
        BatonError: there is no such release or gate, it does not ask for this person now, or no answer came.
    """
    release = parse_release(text)

    async def look(releases: Releases) -> Asked:
        handle = await releases.open(release)
        plan = await handle.plan()
        planned = planned_gate(plan, gate)
        if manner.signal and subject is not None:
            return Asked(plan, planned, _unseen(planned, handle.run, subject, attempt), manifest=None)
        status = await handle.status()
        return Asked(plan, planned, open_gate(status, gate, expected=subject), status.manifest)

    asked = with_releases(place, look)
    what = f"gate {gate}"
    person = find_person(asked.plan.roster, speaker.person, GitIdentity.here())
    role = only_role(fitting_roles(person, asked.result.missing, speaker.role, what=what), what=what)
    sign_off = SignOff(
        release=release,
        gate=gate,
        attempt=asked.result.attempt,
        run=asked.result.run,
        subject=asked.result.subject,
        by=person.id,
        role=role,
        reason=speaker.reason,
    )
    notes().print(agreement_page(asked, sign_off))
    speak(
        place,
        release,
        sign_off,
        manner,
        question=f"Sign off gate {gate} of {release} as {person.id}, {role}?",
        # What becomes public can't be taken back.
        typed=release.version if asked.gate.before is GatePoint.PUBLISH else None,
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
        raise Refused(f"gate {name} of {status.release} passed at {moment(result.passed_at)}")
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
