"""What a signed statement says, once it is proven who signed it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from baton.model.acts import Act, Proof
from baton.model.errors import Refused
from baton.model.statement import act_of
from baton.proof.holders import name_of
from baton.proof.prove import prove

if TYPE_CHECKING:
    from datetime import datetime

    from baton.model.envelope import Envelope
    from baton.model.roster import Roster
    from baton.proof.instance import Sigstore

CLOCKS_DIFFER = timedelta(minutes=5)
"""How far a person's clock may be ahead of the machine's that hears them."""


def proven_act(envelope: Envelope, roster: Roster, when: datetime, *, sigstore: Sigstore) -> tuple[Act, Proof]:
    """The act in an envelope, and what proves that the person whom it names said it.

    Args:
        envelope: the signed statement.
        roster: everyone who may act, with their keys.
        when: when it came, or the time by which it is judged again.
        sigstore: the instance whose certificates count.

    Raises:
        Refused: it proves nothing; the message says why.
        BatonError: as for :func:`baton.proof.prove.prove`.
    """
    act = act_of(envelope.payload)
    person = roster.find(act.by)
    if person is None:
        known = ", ".join(person.id for person in roster.people) or "nobody"
        raise Refused(f"{act.by} is not on the roster; on it: {known}")
    if act.at is not None and act.at > when + CLOCKS_DIFFER:
        raise Refused(f"the statement is of {act.at:%Y-%m-%d %H:%M} UTC, which is yet to come: set the clock")
    credential = prove(envelope, person, when, roster=roster, sigstore=sigstore)
    return act, Proof(envelope=envelope.digest, credential=name_of(credential))
