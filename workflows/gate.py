"""A point where people must agree: opened with a digest, passed when the quorum is there and nobody objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from baton.model.acts import AboutGate, Answer, Proof
    from baton.model.gate import GateResult, consider

if TYPE_CHECKING:
    from baton.model.plan import Gate
    from workflows.board import Board


class Gates:
    """Opens gates and takes what people say about them."""

    def __init__(self, board: Board) -> None:
        self._board = board

    async def open(self, gate: Gate, subject: str) -> None:
        """Ask people to agree to a digest, and return when enough have and nobody objects.

        Args:
            gate: as the plan has it.
            subject: the digest of the plan or the manifest.
        """
        board = self._board
        earlier = board.earlier_gates.get(gate.name)
        reset = () if earlier is None else tuple(given.by for given in earlier.given)
        board.set_gate(
            GateResult(
                gate=gate.name,
                attempt=1 if earlier is None else earlier.attempt + 1,
                run=board.ref.run,
                subject=subject,
                needs=gate.needs,
                excluded=() if gate.starter_counts else board.planners,
                opened=workflow.now(),
                reset=reset,
            )
        )
        void = f"; the sign-offs of {', '.join(reset)} were for something else and are void" if reset else ""
        board.note("baton", f"gate {gate.name} asks about {subject}{void}")
        await workflow.wait_condition(lambda: board.gates[gate.name].passed_at is not None)
        board.note("baton", f"gate {gate.name} passed")

    def take(self, act: AboutGate, proof: Proof | None) -> Answer:
        """Take a sign-off, a rejection or a withdrawal, or say why it does not count.

        A gate passes here, with the act that completes it: what comes after that finds it passed, and nothing that
        comes between can strand it or let it pass on what people took back.
        """
        result = self._board.gates.get(act.gate)
        if result is None:
            return Answer(accepted=False, message=self._not_open(act.gate))
        counted, answer = consider(result, act, self._board.plan.roster, workflow.now(), proof)
        if counted and counted.passed_at is None:
            counted = counted.model_copy(update={"passed_at": workflow.now()})
        if counted is not result:
            self._board.set_gate(counted)
        return answer

    def _not_open(self, name: str) -> str:
        planned = [gate.name for gate in self._board.plan.gates]
        if name in planned:
            return f"gate {name} is not open yet: the release is in phase {self._board.phase}; sign off when it asks"
        return f"there is no gate {name}; gates: {', '.join(planned)}"
