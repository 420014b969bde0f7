"""The chain of acts: each link follows the one before, and each act is proven again by the roster as it was."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from baton.evidence.acts import act_in
from baton.evidence.folder import Unreadable
from baton.evidence.result import bad, good
from baton.model.acts import Replan
from baton.model.base import counted
from baton.model.envelope import read_envelope
from baton.model.errors import Invalid, Refused
from baton.proof.said import proven_act
from baton.trust.verifiers import usable_cores

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from baton.evidence.folder import Folder
    from baton.evidence.result import Check
    from baton.model.acts import Act, Heard, Proof
    from baton.model.base import Digest
    from baton.model.plan import Plan
    from baton.model.roster import Roster
    from baton.proof import Sigstore


@dataclass(frozen=True)
class Said:
    """One act as it was heard, and what proves it now.

    Attributes:
        heard: the link of the chain.
        act: what was said; None where nothing of it was kept, which only a refused act may.
        proof: what proves it by the roster, or None.
        why_not: why nothing does.
        plan: the plan that the release followed then, kept under the digest ``follows``.
    """

    heard: Heard
    act: Act | None
    proof: Proof | None
    why_not: str
    plan: Plan
    follows: Digest


def linked(folder: Folder, chain: Sequence[Heard]) -> Iterator[Check]:
    """Whether each link follows the one before, and the list names the last one.

    Which plan the first link follows from is compared where the plans are: see :func:`heard_again`.
    """
    index = folder.index
    if len(chain) != index.acts:
        yield bad("chain", f"has {counted(len(chain), 'act')}; the list says {index.acts}")
    for number, heard in enumerate(chain, start=1):
        if heard.number != number:
            yield bad("chain", f"link {number} has the number {heard.number}")
    for (before, after), expected in zip(pairwise(chain), folder.links, strict=False):
        if after.previous != expected:
            yield bad(f"act {after.number}", f"follows {after.previous}; the act before it is {expected}")
        if after.at < before.at:
            yield bad(f"act {after.number}", f"was heard at {after.at}, before the act that it follows")
    head = folder.links[-1] if chain else index.plan
    if head == index.head:
        yield good("chain", f"{counted(len(chain), 'act')}, each linked to the one before; its head is {head}")
    else:
        yield bad("chain", f"ends with {head}; the list says {index.head}")


def heard_again(folder: Folder, chain: Sequence[Heard], *, own: Roster | None, sigstore: Sigstore) -> list[Said]:
    """Prove every act again, by the plan that the release followed when it heard it.

    Args:
        folder: the evidence.
        chain: its acts.
        own: the verifier's own roster, in place of the plans'.
        sigstore: whose certificates count for people.

    Raises:
        Unreadable: an act or a plan can't be read.
        BatonError: a program that is needed, or Sigstore's trust configuration, is not there.
    """
    plans = [chain[0].previous if chain else folder.index.plan]
    jobs: list[list[Said]] = []
    for heard in chain:
        act = _act(heard, folder)
        # What came while the release was changing its plan was still heard by the one before.
        jobs.append([Said(heard, act, None, "", folder.plan_of(plan), plan) for plan in reversed(plans[-2:])])
        if heard.accepted and isinstance(act, Replan):
            plans.append(act.plan)

    def prove(job: list[Said]) -> Said:
        tries = [_proven(folder, said, own or said.plan.roster, sigstore) for said in job]
        return next((said for said in tries if said.proof is not None), tries[0])

    # Most of the time goes to ssh-keygen and gpg, each a process of its own.
    with ThreadPoolExecutor(2 * usable_cores()) as pool:
        return list(pool.map(prove, jobs))


def _act(heard: Heard, folder: Folder) -> Act | None:
    try:
        return act_in(heard, folder.read)
    except Invalid as error:
        raise Unreadable(f"act {heard.number} can't be read: {error}") from error


def _proven(folder: Folder, said: Said, roster: Roster, sigstore: Sigstore) -> Said:
    """The act with what proves it by this roster, or with why nothing does."""
    heard = said.heard
    if heard.envelope is None:
        return replace(said, why_not="nothing proves it: it is unsigned")
    envelope = read_envelope(folder.read(heard.envelope))
    try:
        _, proof = proven_act(envelope, roster, heard.at, sigstore=sigstore)
    except (Refused, Invalid) as error:
        return replace(said, why_not=str(error))
    return replace(said, proof=proof)


def judged(said: Sequence[Said], folder: Folder, *, own: bool) -> Iterator[Check]:
    """Whether each act is what its link says, proven where it counted, and the plans are those that people chose.

    Args:
        said: every act, in order.
        folder: the evidence.
        own: whether the acts were proven by the verifier's own roster, which may know other keys than the plan's.
    """
    nonces: set[tuple[str, str]] = set()
    for one in said:
        subject = f"act {one.heard.number}"
        faults = [*_unlike(one), *_unproven(one, folder, own=own), *_again(one, nonces)]
        yield from (bad(subject, fault) for fault in faults)
        if not faults:
            yield good(subject, _told(one))
    followed = said[-1].follows if said else folder.index.plan
    if said and said[-1].heard.accepted and isinstance(said[-1].act, Replan):
        followed = said[-1].act.plan
    if followed != folder.index.plan:
        yield bad("plans", f"the acts lead to plan {followed}; the release followed {folder.index.plan}")


def _told(one: Said) -> str:
    heard = one.heard
    if not heard.accepted:
        return f"{heard.kind} by {heard.by}, refused: {heard.message}"
    by = "UNSIGNED, so that anyone may have said it" if one.proof is None else f"proven by {one.proof.credential}"
    return f"{heard.kind} by {heard.by} as {heard.role} about {heard.about}, {by}"


def _unlike(one: Said) -> Iterator[str]:
    """What the link says otherwise than the act itself."""
    heard, act = one.heard, one.act
    if act is None:
        if heard.accepted:
            yield "counted, but what was said was not kept"
        return
    told = (heard.kind, heard.by, heard.role, heard.about)
    came = (act.kind, act.by, act.role, act.about)
    if told != came:
        yield f"is told as {', '.join(told)}; what was said is {', '.join(came)}"


def _unproven(one: Said, folder: Folder, *, own: bool) -> Iterator[str]:
    heard = one.heard
    if heard.accepted and one.proof is None and (heard.envelope is not None or not one.plan.unsigned_acts):
        yield f"counted, but is not proven: {one.why_not}"
    if heard.proof is not None and heard.proof != one.proof:
        came = one.why_not if one.proof is None else f"{one.proof.credential}, envelope {one.proof.envelope}"
        yield f"is told as proven by {heard.proof.credential}, envelope {heard.proof.envelope}; found: {came}"
    if heard.proof is None and one.proof is not None and not own:
        yield f"is told as not proven, but {one.proof.credential} proves it"
    act = one.act
    if heard.accepted and act is not None and (act.release, act.run) != (folder.index.release, folder.index.run):
        yield f"counted, but is for {act.release}, run {act.run}; this is {folder.index.release}, {folder.index.run}"


def _again(one: Said, nonces: set[tuple[str, str]]) -> Iterator[str]:
    """A signed statement that counted though it had been heard before."""
    if one.act is None or one.proof is None:
        return
    once = (one.act.by, one.act.nonce)
    if one.heard.accepted and once in nonces:
        yield "counted, but this very statement had been heard before"
    nonces.add(once)
