"""The joint gate: people agree once to what every stream ships, and again when any of it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from baton.model.acts import AboutGate, Answer, Proof
    from baton.model.gate import GateResult, consider
    from baton.model.plan import JOINT_GATE

if TYPE_CHECKING:
    from baton.model.security import JointManifest
    from workflows.security_board import SecurityBoard


class JointGate:
    """The gate of a security release.

    It passes when the barrier opens, not with the sign-off that completes it: until then people can object.
    """

    def __init__(self, board: SecurityBoard) -> None:
        self._board = board

    @property
    def result(self) -> GateResult | None:
        """The gate as it stands, or None while there is nothing to agree to."""
        return self._board.gates.get(JOINT_GATE)

    @property
    def agreed(self) -> bool:
        """Whether enough people agree now, and nobody objects."""
        return bool(self.result)

    @property
    def passed(self) -> GateResult | None:
        """The gate if it has passed."""
        return self.result if self.result is not None and self.result.passed_at is not None else None

    def ask(self, joint: JointManifest) -> None:
        """Ask people to agree to what the streams ship; it is in the store."""
        board, gate = self._board, self._board.plan.gate
        earlier = board.earlier_gates.get(JOINT_GATE)
        reset = () if earlier is None else tuple(given.by for given in earlier.given)
        board.joint = joint
        board.set_gate(
            GateResult(
                gate=JOINT_GATE,
                attempt=1 if earlier is None else earlier.attempt + 1,
                run=board.ref.run,
                subject=joint.digest,
                needs=gate.needs,
                excluded=() if gate.starter_counts else board.planners,
                opened=workflow.now(),
                reset=reset,
            )
        )
        board.note("baton", f"gate {JOINT_GATE} asks about {joint.digest}")

    def reset(self, why: str) -> None:
        """What people were asked about has changed: what they said is void."""
        result = self.result
        if result is None:
            return
        board = self._board
        del board.gates[JOINT_GATE]
        board.earlier_gates[JOINT_GATE] = result
        board.joint = None
        void = ", ".join(given.by for given in result.given)
        sign_offs = f"; the sign-offs of {void} are void" if void else ""
        board.note("baton", f"gate {JOINT_GATE} is reset: {why}{sign_offs}")
        board.show()

    def pass_(self) -> GateResult:
        """Have the gate pass, which people have agreed to; from here on nobody can object."""
        result = self._board.gates[JOINT_GATE].model_copy(update={"passed_at": workflow.now()})
        self._board.set_gate(result)
        self._board.note("baton", f"gate {JOINT_GATE} passed: the barrier is open")
        return result

    def take(self, act: AboutGate, proof: Proof | None) -> Answer:
        """Take a sign-off, a rejection or a withdrawal, or say why it does not count."""
        result = self.result
        if act.gate != JOINT_GATE:
            return Answer(accepted=False, message=f"a security release has one gate, {JOINT_GATE}; not {act.gate}")
        if result is None:
            waits = ", ".join(f"{stream.version} is {stream.state}" for stream in self._board.not_ready())
            return Answer(accepted=False, message=f"gate {JOINT_GATE} is not open: {waits or 'nothing is asked yet'}")
        counted, answer = consider(result, act, self._board.plan.roster, workflow.now(), proof)
        if counted is not result:
            self._board.set_gate(counted)
        return answer
