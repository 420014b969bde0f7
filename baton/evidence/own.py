"""Judging evidence by the verifier's own ``release.toml``, instead of by what the evidence says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from baton.model.errors import Refused
from baton.project import parts
from baton.project.read import read_project
from baton.project.security import barrier_of, gates_of_streams
from baton.project.signers import signers

if TYPE_CHECKING:
    from pathlib import Path

    from baton.evidence.folder import Folder
    from baton.model.plan import Barrier, Gate
    from baton.model.roster import Roster
    from baton.model.signing import Signer


@dataclass(frozen=True)
class Rules:
    """Who may act and sign, by the word of the verifier instead of the plan's.

    Attributes:
        source: where the verifier has it from, in words.
        roster: who may act.
        gates: which gates the plan must have.
        signers: who signs; None of a rehearsal, which the sandbox's own identities sign.
        barrier: of one of a security release, the gate that all of its streams share, and when files are signed.
    """

    source: str
    roster: Roster
    gates: tuple[Gate, ...]
    signers: tuple[Signer, ...] | None = None
    barrier: Barrier | None = None


def own_rules(file: Path, folder: Folder) -> Rules:
    """The rules for a release by a ``release.toml``, as it says them for the day of the evidence.

    Raises:
        Refused: it is another project's, or has no such stream.
        Missing, Invalid: it is not there, or can't be used.
    """
    project, plan = read_project(file), folder.plan
    if project.name != plan.release.project:
        raise Refused(f"{file} is of {project.name}; the evidence is of {plan.release}")
    if plan.stream.name not in project.settings.streams:
        raise Refused(f"{file} has no stream {plan.stream.name}, of which {plan.release} is")
    gates = tuple(parts.gate(table) for table in project.settings.gates)
    day = folder.index.at.astimezone(UTC).date()
    barrier = None if plan.barrier is None else barrier_of(project, plan.barrier.security)
    return Rules(
        source=str(file),
        roster=project.roster,
        gates=gates if barrier is None else gates_of_streams(gates, barrier),
        signers=None if plan.sandbox else signers(project, plan.stream.name, None, day),
        barrier=barrier,
    )
