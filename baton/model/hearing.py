"""The contract between workflows and activities about what people say: proving it, and keeping and taking plans."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from baton.model.acts import Proof
from baton.model.base import Digest, Name, Text, Value
from baton.model.envelope import MAX_ENVELOPE
from baton.model.plan import Plan
from baton.model.roster import Roster
from baton.model.work import ReleaseRef, SecurityRef, Work

REFUSED_IN_TRANSIT = "refused in transit"
"""The one key of what a worker puts in place of a message whose encryption it does not accept; its value says why."""


class ProveAct(Value):
    """Keep a signed act in the store, and say whether the person whom it names signed it.

    Attributes:
        envelope: the signed statement as canonical JSON.
        by: whom the statement names.
        roster: everyone; of OpenPGP keys only the one that the envelope names has its block along.
    """

    release: ReleaseRef | SecurityRef
    envelope: Annotated[str, StringConstraints(max_length=MAX_ENVELOPE)]
    by: Name
    roster: Roster


class Proven(Value):
    """What came of proving an act.

    Attributes:
        envelope: digest of what was sent; it is in the store.
        proof: what proves it, or None.
        refusal: why nothing does.
    """

    envelope: Digest
    proof: Proof | None = None
    refusal: Text = ""


class KeepPlan(Value):
    """Put the plan into the store, where workers that hold secrets read it by its digest."""

    release: ReleaseRef
    plan: Plan


class Kept(Value):
    """The plan is in the store."""

    digest: Digest


class TakePlan(Value):
    """Take a plan from the store by its digest."""

    release: ReleaseRef
    plan: Digest


PROVE_ACT = Work("prove_act", ProveAct, Proven)
KEEP_PLAN = Work("keep_plan", KeepPlan, Kept)
TAKE_PLAN = Work("take_plan", TakePlan, Plan)
