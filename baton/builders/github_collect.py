"""Take in what a run of GitHub Actions made, and what it said."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from baton.builders.github_download import download_artifact
from baton.builders.github_log import excerpt, save_log
from baton.builders.github_report import report_of
from baton.builders.github_unpack import unpack
from baton.builders.port import FailedWithLog, Stopped
from baton.model.errors import Failed, Refused
from baton.model.manifest import Artifact, ArtifactSet
from baton.model.outside import Collected, RunState

if TYPE_CHECKING:
    from baton.builders.github_answers import StoredArtifact, WorkflowRun
    from baton.builders.github_api import GitHubApi
    from baton.builders.outside import Intake
    from baton.model.base import Digest, FileName
    from baton.model.outside import GitHubBuilder, OutsideRun

_ZIP = ("application/zip", "application/x-zip-compressed")


def collect(
    builder: GitHubBuilder,
    api: GitHubApi,
    *,
    run: OutsideRun,
    now: WorkflowRun,
    files: tuple[FileName, ...],
    intake: Intake,
) -> Collected:
    """Take in a run that has ended and is proven to be of the order's commit; the rest is as the port says."""
    intake.scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=intake.scratch, prefix="github-") as own:
        folder = Path(own)
        log = _log(api, run, now, folder, intake)
        chosen = _choose(builder, api.artifacts(run.id), run)
        made = _take_all(api, chosen, files, folder, intake)
        if missing := sorted(set(files) - {artifact.name for artifact in made}):
            raise Failed(
                f"run {run.id} succeeded without making {', '.join(missing)}: none of the artifacts "
                f"{', '.join(builder.artifacts)} holds it; correct the step's files or the workflow: {run.url}"
            )
        return Collected(
            artifacts=intake.store.put_set(ArtifactSet.of(made)),
            commit=run.commit,
            log=log,
            builder=f"GitHub Actions: {builder.workflow} of {builder.repository} at {now.head_sha}, run {run.id}, "
            f"attempt {now.run_attempt}: {run.url}",
        )


def _log(api: GitHubApi, run: OutsideRun, now: WorkflowRun, folder: Path, intake: Intake) -> Digest:
    """Keep the log of a run; raise what it says unless the run succeeded."""
    jobs = api.jobs(run.id)
    log = folder / f"run-{run.id}.log"
    save_log(api, jobs, log, intake)
    digest = intake.store.put_file(log).digest
    report = report_of(now, jobs, [])
    if report.state is RunState.CANCELLED:
        raise Failed(f"{report.line}: {report.url}: find out who did, and why; what it did not do can be run again")
    if report.state is not RunState.SUCCEEDED:
        raise FailedWithLog(f"{report.line}: {report.url}; it said last:\n{excerpt(log)}", log=digest)
    return digest


def _choose(builder: GitHubBuilder, stored: list[StoredArtifact], run: OutsideRun) -> list[StoredArtifact]:
    """The latest artifact of each name that the plan wants; a run that was run again may have several."""
    latest = {each.name: each for each in sorted(stored, key=lambda each: each.id)}
    if missing := [name for name in builder.artifacts if name not in latest]:
        raise Failed(
            f"run {run.id} left no artifact {', '.join(map(repr, missing))}; it left "
            f"{', '.join(map(repr, sorted(latest))) or 'none'}: correct the plan or the workflow: {run.url}"
        )
    chosen = [latest[name] for name in dict.fromkeys(builder.artifacts)]
    for artifact in chosen:
        if artifact.digest is None and not artifact.expired and not builder.accept_without_digest:
            raise Refused(
                f"GitHub names no digest of the artifact {artifact.name!r}, so nothing shows that it is what the run "
                "made: use actions/upload-artifact 4.4 or later, or let the plan accept artifacts without digests"
            )
    return chosen


def _take_all(
    api: GitHubApi, chosen: list[StoredArtifact], files: tuple[FileName, ...], folder: Path, intake: Intake
) -> list[Artifact]:
    made: dict[str, Artifact] = {}
    for artifact in chosen:
        if intake.cancelled():
            raise Stopped("taking in the run's artifacts was stopped on request")
        for each in _take(api, artifact, files, folder, intake):
            if each.name in made:
                raise Refused(f"two artifacts of the run hold {each.name}: let one of them hold it")
            made[each.name] = each
    return list(made.values())


def _take(
    api: GitHubApi, artifact: StoredArtifact, files: tuple[FileName, ...], folder: Path, intake: Intake
) -> list[Artifact]:
    packed = folder / f"artifact-{artifact.id}"
    kind = download_artifact(api, artifact, packed, intake)
    try:
        if kind in _ZIP:
            return unpack(packed, files, intake, what=f"the artifact {artifact.name!r}")
        if artifact.name not in files:
            raise Refused(
                f"the artifact {artifact.name!r} is a file ({kind or 'of no type'}) that the step does not name; "
                "expected a zip file, or one of the step's files"
            )
        stored = intake.store.put_file(packed)
        return [stored.model_copy(update={"name": artifact.name})]
    finally:
        packed.unlink()
