"""Hearing people: what they say is read, proven, judged by what it is about, and put on the record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows import orders
from workflows.orders import order
from workflows.room import Room
from workflows.step import failure_text

with workflow.unsafe.imports_passed_through():
    from pydantic import ValidationError

    from baton.model.acts import Act, Answer, Heard, Proof
    from baton.model.base import canonical_json, digest_of
    from baton.model.envelope import Envelope, is_envelope, open_envelope, require_small
    from baton.model.errors import Invalid
    from baton.model.hearing import PROVE_ACT, REFUSED_IN_TRANSIT, ProveAct, Proven
    from baton.model.statement import act_of, facts_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from workflows.floor import Floor

    Judge = Callable[[Act, Proof | None], Awaitable[Answer]]


@dataclass(frozen=True)
class _Said:
    """What somebody sent, read: an act, in the envelope that is to prove it, or unsigned."""

    act: Act
    envelope: Envelope | None


class Hearing:
    """Takes what people say to a release.

    Args:
        board: what the release shows.
        judge: decides whether an act counts that is proven as far as the plan demands. It changes what it changes
            without giving way after it looked, so that of two acts that race each sees the other's effect.
    """

    def __init__(self, board: Floor[Any, Any], judge: Judge) -> None:
        self._board = board
        self._judge_act = judge
        self._room = Room(len(canonical_json(heard)) for heard in board.heard)

    def admit(self, kind: type[Act], message: object) -> None:
        """Keep out what can't be heard, so that it leaves no trace in the history; the validator of every update.

        Raises:
            Invalid: the message says no act of this kind, or the release has heard too much already.
        """
        self._room.require(kind)
        self._read(kind, message)

    def _read(self, kind: type[Act], message: object) -> _Said:
        if not is_envelope(message):
            return _Said(_plain(kind, message), None)
        envelope = open_envelope(message)
        act = act_of(envelope.payload)
        if type(act) is not kind:
            raise Invalid(f"this is a {act.noun}, sent as a {kind.noun}")
        return _Said(act, envelope)

    async def hear(self, kind: type[Act], message: object) -> Answer:
        """Take a message and say what became of it; whatever the message holds, this does not fail."""
        try:
            self._room.require(kind)
            said = self._read(kind, message)
        except Invalid as error:
            self._board.note("unknown", f"a {kind.noun} could not be read: {error}")
            return Answer(accepted=False, message=str(error))
        self._room.take()
        if said.envelope is None:
            objection = self._objection(said.act) or self._unproven(said.act)
            return await self._judge(said, objection)
        try:
            proven = await self._prove(said.act, said.envelope)
        except ActivityError as error:
            return await self._judge(said, f"nobody could prove it: {failure_text(error)}; say it again")
        objection = proven.refusal or self._replayed(said.act) or self._objection(said.act)
        return await self._judge(said, objection, proven)

    async def _prove(self, act: Act, envelope: Envelope) -> Proven:
        return await order(
            PROVE_ACT,
            ProveAct(
                release=self._board.ref,
                envelope=envelope.text,
                by=act.by,
                roster=self._board.plan.roster.naming(envelope.keyid),
            ),
            queue=self._board.plan.queue,
            patience=orders.LOCAL,
            summary=f"is this {act.noun} {act.by}'s?",
        )

    async def _judge(self, said: _Said, objection: str | None, proven: Proven | None = None) -> Answer:
        act, proof = said.act, None if proven is None else proven.proof
        if objection is not None:
            answer = Answer(accepted=False, message=objection)
        else:
            answer = await self._judge_act(act, proof)
        self._record(said, answer, proven)
        return answer

    def _record(self, said: _Said, answer: Answer, proven: Proven | None) -> None:
        act, board = said.act, self._board
        last = board.heard[-1] if board.heard else None
        heard = Heard(
            number=len(board.heard) + 1,
            at=workflow.now(),
            kind=act.kind,
            by=act.by,
            role=act.role,
            about=act.about,
            accepted=answer.accepted,
            message=answer.message[:300],
            proof=None if proven is None else proven.proof,
            envelope=None if proven is None else proven.envelope,
            unsigned="" if said.envelope is not None else act.model_dump_json(exclude_none=True),
            previous=board.ref.plan if last is None else digest_of(canonical_json(last)),
        )
        board.heard.append(heard)
        self._room.fill(len(canonical_json(heard)))
        signed = "" if proven is not None and proven.proof is not None else " (unsigned)" if proven is None else ""
        if answer.accepted:
            board.touch(act.about)
            board.note(act.by, f"{act.said} as {act.role}{signed}. {act.reason}".strip())
        else:
            board.note(act.by, f"{act.noun} for {act.about} refused{signed}: {answer.message}")

    def _replayed(self, act: Act) -> str | None:
        # By person, so that nobody uses up what another is about to say.
        once = f"{act.by}:{act.nonce}"
        if once in self._board.nonces:
            return "this very statement was heard before; to say it again, sign a new one"
        self._board.nonces.add(once)
        return None

    def _unproven(self, act: Act) -> str | None:
        if self._board.plan.unsigned_acts:
            return None
        return (
            f"this release accepts only acts that are proven by a signature; nothing proves that {act.by} said this: "
            "sign it with a key or identity that the roster lists for them"
        )

    def _objection(self, act: Act) -> str | None:
        """What every act has to be right about; gates and steps look at the rest themselves."""
        board = self._board
        if act.release != board.plan.release:
            return f"the {act.noun} is for {act.release}; this is {board.plan.release}"
        if act.run != board.ref.run:
            return f"the {act.noun} names run {act.run}; this is run {board.ref.run}: look at what is here now"
        person = board.plan.roster.find(act.by)
        if person is None:
            known = ", ".join(person.id for person in board.plan.roster.people) or "nobody"
            return f"{act.by} is not on the roster of this release; on it: {known}"
        if act.role not in person.roles:
            return f"{act.by} does not hold the role {act.role}; holds: {', '.join(person.roles)}"
        if board.leaving is not None:
            return f"too late: {board.leaving}"
        return None


def _plain(kind: type[Act], message: object) -> Act:
    require_small(message)
    if isinstance(message, dict) and (why := message.get(REFUSED_IN_TRANSIT)) is not None:
        raise Invalid(str(why))
    try:
        return kind.model_validate(message)
    except ValidationError as error:
        raise Invalid(f"this is no {kind.noun}, and no signed statement: {facts_of(error)}") from error
