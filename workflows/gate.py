"""People agreeing: a gate is opened, sign-offs come in, and the release goes on when the quorum is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from baton.model.gate import Answer, GateResult, SignOff, consider

if TYPE_CHECKING:
    from baton.model.plan import Gate
    from workflows.board import Board


class Gates:
    """Opens gates and takes sign-offs for them."""

    def __init__(self, board: Board) -> None:
        self._board = board

    async def open(self, gate: Gate, subject: str) -> None:
        """Ask people to agree to a digest, and return when enough have.

        That the quorum is there and that the release goes on are seen in the same workflow task: a gate with all its
        sign-offs can't strand, and none passes on sign-offs for another digest.

        Args:
            gate: as the plan has it.
            subject: the digest of the plan or the manifest.
        """
        earlier = self._board.gates.get(gate.name)
        starter = self._board.plan.started_by
        self._board.set_gate(
            GateResult(
                gate=gate.name,
                attempt=1 if earlier is None else earlier.attempt + 1,
                run=self._board.ref.run,
                subject=subject,
                needs=gate.needs,
                excluded=() if gate.starter_counts else (starter,),
                opened=workflow.now(),
            )
        )
        self._board.note("baton", f"gate {gate.name} asks about {subject}")
        await workflow.wait_condition(lambda: bool(self._board.gates[gate.name]))
        passed = self._board.gates[gate.name]
        self._board.set_gate(passed.model_copy(update={"passed_at": workflow.now()}))
        self._board.note("baton", f"gate {gate.name} passed")

    def sign_off(self, sign_off: SignOff) -> Answer:
        """Count a sign-off, or say why it does not count."""
        answer = self._consider(sign_off)
        verb = f"signed off gate {sign_off.gate} as {sign_off.role}"
        if answer.accepted:
            self._board.note(sign_off.by, f"{verb}. {sign_off.reason}".strip())
        else:
            self._board.note(sign_off.by, f"sign-off for gate {sign_off.gate} refused: {answer.message}")
        return answer

    def _consider(self, sign_off: SignOff) -> Answer:
        result = self._board.gates.get(sign_off.gate)
        if result is None:
            return Answer(accepted=False, message=self._not_open(sign_off.gate))
        if result.passed_at is not None:
            return Answer(accepted=False, message=f"gate {result.gate} passed at {result.passed_at:%Y-%m-%d %H:%M} UTC")
        refusal = self._board.unproven(sign_off.by)
        if refusal is not None:
            return Answer(accepted=False, message=refusal)
        counted, answer = consider(result, sign_off, self._board.plan.roster, workflow.now())
        if counted is not result:
            self._board.set_gate(counted)
        return answer

    def _not_open(self, name: str) -> str:
        planned = [gate.name for gate in self._board.plan.gates]
        if name in planned:
            return f"gate {name} is not open yet: the release is in phase {self._board.phase}; sign off when it asks"
        return f"there is no gate {name}; gates: {', '.join(planned)}"
