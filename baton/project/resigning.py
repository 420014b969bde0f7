"""From a project's `release.toml` to the plan by which a public version is signed anew."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from baton.model.plan import Gate, GatePoint, Plan, SourcePlan
from baton.model.version import Purpose, ReleaseId, kind_of
from baton.project import parts
from baton.project.problem import CannotPlan
from baton.project.resolve import objections, stream_of
from baton.project.signers import signers
from baton.project.template import expand

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from baton.model.resigning import Resigning
    from baton.model.signing import Signer
    from baton.project.read import Project
    from baton.project.resolve import SandboxFacts


def resolve_to_sign_anew(
    project: Project,
    version: str,
    commit: str,
    *,
    started_by: str,
    sandbox: SandboxFacts | None,
    resigning: Resigning,
    only: Sequence[str] = (),
    today: date | None = None,
) -> Plan:
    """Resolve what signing a public version anew will do. Its stream may be past its end of life.

    Args:
        project: whose version it is.
        version: the version that is public.
        commit: the whole id of the commit that it was made from.
        started_by: the roster id of the person who starts it.
        sandbox: what the sandbox substitutes, or None for a real one.
        resigning: which files, and what becomes of the old signatures.
        only: the kinds of signatures to make, of those that the stream's policy has; all of them if empty.
        today: the day, in UTC, of that policy; by default the current one.

    Raises:
        CannotPlan: it can't be done; the error lists every reason.
    """
    settings, own = project.settings, project.settings.project
    stream, reasons = stream_of(version, [parts.stream(name, table) for name, table in settings.streams.items()])
    reasons += objections(project, started_by, commit, rehearsal=sandbox is not None)
    if stream is None or reasons:
        raise CannotPlan(reasons)
    rehearsed, local = sandbox is not None, None if sandbox is None else sandbox.source
    gates = tuple(parts.gate(table) for table in settings.gates)
    return Plan(
        release=ReleaseId(project=own.name, version=version, purpose=Purpose.RESIGN),
        title=own.title,
        stream=stream,
        release_kind=kind_of(version, stream),
        sandbox=rehearsed,
        unsigned_acts=rehearsed and not own.signed_rehearsals,
        started_by=started_by,
        source=SourcePlan(
            repository=project.repository if local is None else str(local),
            commit=commit,
            tag=expand(own.tag, version),
            push_tag=False,
        ),
        steps=(),
        sboms=False,
        signers=_chosen(signers(project, stream.name, sandbox, today or datetime.now(UTC).date()), only),
        gates=gates_to_sign_anew(gates, resigning),
        targets=(parts.sandbox_target(settings.targets),) if rehearsed else parts.targets(settings.targets),
        announcers=tuple(parts.announcer(table, rehearsed=rehearsed) for table in settings.announcers),
        reminders=parts.reminders(settings.reminders),
        publish_evidence=settings.evidence.publish,
        resigning=resigning,
        roster=project.roster,
        queue=own.queue,
    )


def gates_to_sign_anew(gates: Sequence[Gate], resigning: Resigning) -> tuple[Gate, ...]:
    """Where people agree when files are signed anew.

    The project's gates before signing and publishing stand where they are; nothing is built, so those before the build
    do not. A list that a person gives is agreed to before anything is signed: at the gates before signing, or, where
    there are none, at one like each gate before publishing, called ``NAME-files``.

    Raises:
        CannotPlan: the project has no gate before publishing.
    """
    signing, publishing = (
        tuple(gate for gate in gates if gate.before is point) for point in (GatePoint.SIGN, GatePoint.PUBLISH)
    )
    if not publishing:
        raise CannotPlan(['no gate stands before "publish"; signing anew needs one, where people agree to it'])
    if resigning.evidence is None and not signing:
        signing = tuple(
            gate.model_copy(update={"name": f"{gate.name}-files", "before": GatePoint.SIGN}) for gate in publishing
        )
    return (*signing, *publishing)


def _chosen(all_of_them: tuple[Signer, ...], only: Sequence[str]) -> tuple[Signer, ...]:
    kinds = [signer.kind for signer in all_of_them]
    if strangers := [kind for kind in only if kind not in kinds]:
        raise CannotPlan([f"the stream is not signed by {', '.join(strangers)}; it is signed by: {', '.join(kinds)}"])
    return tuple(signer for signer in all_of_them if not only or signer.kind in only)
