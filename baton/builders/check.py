"""Run one of the project's own checks on the files that are about to be released."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from baton.builders.checkout import check_out
from baton.model.errors import Invalid
from baton.model.manifest import Manifest
from baton.model.work import Checked

if TYPE_CHECKING:
    from baton.builders.port import Cancelled, Progress
    from baton.builders.workspace import Workspace
    from baton.model.manifest import ManifestRef
    from baton.model.work import RunCheck
    from baton.store import Store


def run_check(work: RunCheck, workspace: Workspace, *, progress: Progress, cancelled: Cancelled) -> Checked:
    """Run the check's commands in a fresh checkout; ``$BATON_ARTIFACTS`` is a folder with every file of the manifest.

    Raises:
        FailedWithLog: the check does not pass.
        Missing: a program, or content of the manifest, is not there.
        Refused: the source is not the commit that it says.
        Stopped: the caller wished it.
    """
    check, store = work.check, workspace.store
    with workspace.bench(check.name, timeout=check.timeout, progress=progress, cancelled=cancelled) as bench:
        artifacts = bench.folder / "artifacts"
        artifacts.mkdir()
        for file in _manifest(work.manifest, store).files:
            store.fetch(file.digest, artifacts / file.name)
        checkout = check_out(work.source, bench)
        environment = {"SOURCE_DATE_EPOCH": str(work.source.epoch), "BATON_ARTIFACTS": str(artifacts)}
        bench.run(check.commands, checkout, environment)
        return Checked(log=bench.keep_log())


def _manifest(ref: ManifestRef, store: Store) -> Manifest:
    try:
        return Manifest.model_validate_json(store.read(ref.digest))
    except ValidationError as error:
        raise Invalid(f"{ref.digest} is no manifest: {error.errors()[0]['msg']}") from error
