"""The statement about a whole release: which plan it followed, which files it has, and who agreed to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.attestation.statement import Document, Resource, Statement
from baton.model.attesting import MANIFEST_FILE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from baton.attestation.provenance import Context
    from baton.model.gate import GateResult
    from baton.model.plan import Gate

PREDICATE_TYPE = "urn:baton:release:v1"


class SignedOff(Document):
    """One person agreed.

    Attributes:
        proven_by: what proved it to the signing worker; None in a rehearsal that takes people at their word.
        envelope: the digest of the statement that the person signed, which the evidence holds.
    """

    by: str
    role: str
    proven_by: str | None = None
    envelope: str | None = None


class PassedGate(Document):
    """A gate that the release passed.

    Attributes:
        before: what it stands before: ``build``, ``sign`` or ``publish``.
        agreed_to: the digest that people agreed to: the plan's, or the manifest's.
        needs: how many people of which role had to.
    """

    name: str
    before: str
    agreed_to: str
    needs: dict[str, int]
    given: tuple[SignedOff, ...]


class ReleasePredicate(Document):
    """The predicate.

    Attributes:
        run: which run of the release.
        rehearsal: whether nothing of it was real.
        commit: the tagged commit.
        plan: the plan's digest.
        gates: every gate, in the plan's order.
    """

    project: str
    version: str
    run: str
    rehearsal: bool
    repository: str
    commit: str
    tag: str
    plan: str
    manifest: str
    gates: tuple[PassedGate, ...]


def release_statement(release: Context, passed: Iterable[tuple[Gate, GateResult]]) -> Statement:
    """The statement about a release, whose subject is its manifest.

    Args:
        release: which.
        passed: each gate of the plan, and what the signing worker has proven of it.
    """
    source = release.plan.source
    predicate = ReleasePredicate(
        project=release.plan.release.project,
        version=str(release.plan.release.version),
        run=release.ref.run,
        rehearsal=release.ref.sandbox,
        repository=source.repository,
        commit=release.commit,
        tag=source.tag,
        plan=release.ref.plan,
        manifest=release.manifest,
        gates=tuple(_passed(gate, result) for gate, result in passed),
    )
    return Statement(
        subject=(Resource.of(MANIFEST_FILE, release.manifest),),
        predicate_type=PREDICATE_TYPE,
        predicate=predicate.fields(),
    )


def _passed(gate: Gate, result: GateResult) -> PassedGate:
    return PassedGate(
        name=gate.name,
        before=gate.before,
        agreed_to=result.subject,
        needs=result.needs,
        given=tuple(
            SignedOff(
                by=given.by,
                role=given.role,
                proven_by=given.proof.credential if given.proof else None,
                envelope=given.proof.envelope if given.proof else None,
            )
            for given in result.given
        ),
    )
