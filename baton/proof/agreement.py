"""Whether people have really agreed: a gate's result derived again from nothing but what they signed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.model.acts import AboutGate
from baton.model.envelope import read_envelope
from baton.model.errors import Refused
from baton.model.gate import GateResult, consider
from baton.proof.said import proven_act

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from baton.model.gate import Given
    from baton.model.roster import Roster
    from baton.proof.instance import Sigstore


def agreed_again(
    asked: GateResult,
    given: Iterable[Given],
    roster: Roster,
    *,
    read: Callable[[str], bytes],
    when: Callable[[Given], datetime],
    sigstore: Sigstore,
) -> GateResult:
    """Give a gate its sign-offs once more, each proven by its envelope.

    Args:
        asked: the gate before anybody agreed: what it asks about and whom it needs.
        given: what is said to have been given.
        roster: who may act, with their keys, by whose word the envelopes are judged.
        read: the content of a digest, from the store or the evidence.
        when: the time by which a sign-off is judged.
        sigstore: the instance whose certificates count.

    Raises:
        Refused: a sign-off is unsigned, is not proven, or is not for this gate; the message says whose and why.
        BatonError: an envelope can't be read.
    """
    result = asked
    for one in given:
        if one.proof is None:
            raise Refused(f"nothing proves that {one.by} signed off gate {asked.gate}: the sign-off is unsigned")
        envelope = read_envelope(read(one.proof.envelope))
        moment = when(one)
        try:
            act, proof = proven_act(envelope, roster, moment, sigstore=sigstore)
        except Refused as error:
            raise Refused(f"the sign-off of {one.by} for gate {asked.gate} does not count: {error}") from error
        if not isinstance(act, AboutGate) or act.gate != asked.gate or act.by != one.by:
            said = f"{act.by}'s {act.noun} of {act.about}"
            raise Refused(f"the sign-off of {one.by} for gate {asked.gate} is in truth {said}")
        result, answer = consider(result, act, roster, moment, proof)
        if not answer.accepted:
            raise Refused(f"the sign-off of {one.by} for gate {asked.gate} does not count: {answer.message}")
    return result
