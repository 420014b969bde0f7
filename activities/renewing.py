"""Signing anew what is public: fetched and compared before, the new signatures put beside it at one moment."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from activities.mandate import Mandate
from activities.recorded import recorded_manifest
from activities.records import Records
from activities.released import public_files, read_manifest
from activities.work import does, progress
from baton.model import renewing
from baton.model.attesting import PROVENANCE_SUFFIX
from baton.model.base import canonical_json
from baton.model.errors import Conflict, Invalid, Refused
from baton.model.manifest import Artifact, ArtifactSet, Manifest, ManifestFile, ManifestRef
from baton.store.files import digest_of_file
from baton.targets import open_target
from baton.targets.renewal import Renewal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from baton.model.plan import Plan
    from baton.model.resigning import PublicFile, Resigning
    from baton.settings import WorkerSettings
    from baton.store import Store
    from baton.targets import TargetAdapter

LISTED = "listed"
"""The step that a manifest names for files of which only a person's list tells."""


class RenewActivities:
    """What a publishing worker does to sign anew what is public."""

    def __init__(self, store: Store, settings: WorkerSettings) -> None:
        self._store = store
        self._settings = settings
        self._mandate = Mandate(store, settings)

    @does(renewing.TAKE_STOCK)
    def take_stock(self, what: renewing.TakeStock) -> renewing.Stock:
        """Fetch every file as the public does, and compare it with what is recorded or listed.

        What the store lacks is kept there, for the signers. The first stock that was taken stands: taken again after a
        reset, it would have new signatures for old ones.
        """
        plan, resigning = self._mandate.to_take_stock(what)
        records, record = Records(self._store, what.release), f"stock/{what.target.name}"
        if (taken := records.find(record, renewing.Stock)) is not None:
            return taken
        target = open_target(what.target, self._settings)
        recorded = (
            None
            if resigning.evidence is None
            else recorded_manifest(self._store, resigning.evidence, plan, self._settings)
        )
        wanted = resigning.files if recorded is None else recorded.files
        signatures = sorted(f"{file.name}{signer.suffix}" for signer in plan.signers for file in wanted)
        _require_no_signatures(wanted, signatures)
        if resigning.kept:
            _require_free(target, plan, [resigning.dated_name(name) for name in signatures])
        files = tuple(self._fetched(target, plan, wanted))
        manifest = (
            Manifest(
                project=plan.release.project,
                version=plan.version,
                plan=what.release.plan,
                commit=plan.source.commit,
                files=files,
            )
            if recorded is None
            else recorded.model_copy(update={"plan": what.release.plan})
        )
        self._store.put_bytes(canonical_json(manifest))
        old = self._store.put_set(ArtifactSet.of(target.find_public(plan.release, signatures)))
        stock = renewing.Stock(target=what.target.name, manifest=ManifestRef.to(manifest), old=old)
        return records.keep(record, stock)

    @does(renewing.RENEW)
    def renew_signatures(self, what: renewing.Renew) -> renewing.Renewed:
        """Make the new signatures public, once this worker has proven for itself that people agreed.

        The files are compared once more where they are public, and are never written.
        """
        plan, resigning = self._mandate.to_renew(what)
        renewal = self._renewal(what, resigning)
        total, say = sum(file.size for file in (*renewal.files, *renewal.fresh, *renewal.kept)), progress()
        url = open_target(what.target, self._settings).renew(
            plan.release, renewal, self._store, progress=lambda done: say(f"compared {done:,} of {total:,} bytes")
        )
        return renewing.Renewed(target=what.target.name, url=url, signatures=len(renewal.fresh), kept=len(renewal.kept))

    def _fetched(
        self, target: TargetAdapter, plan: Plan, wanted: Sequence[ManifestFile | PublicFile]
    ) -> Iterator[ManifestFile]:
        self._settings.workspace.mkdir(parents=True, exist_ok=True)
        for number, file in enumerate(wanted, start=1):
            progress()(f"fetching {file.name}, {number} of {len(wanted)}")
            with TemporaryDirectory(dir=self._settings.workspace, prefix="stock-") as folder:
                path = Path(folder) / file.name
                target.fetch_public(plan.release, file.name, path)
                came, size = digest_of_file(path)
                if came != file.digest:
                    where = f"{target.address(plan.release)}{file.name}"
                    raise Conflict(
                        f"{where} gives {came} ({size} bytes); expected {file.digest}. Nothing was signed: find out "
                        "who changed what is public"
                    )
                if not self._store.has(file.digest):
                    self._store.put_file(path)
            yield ManifestFile(name=file.name, digest=file.digest, size=size, step=LISTED)

    def _renewal(self, what: renewing.Renew, resigning: Resigning) -> Renewal:
        files = tuple(
            Artifact(name=f.name, digest=f.digest, size=f.size) for f in read_manifest(self._store, what.manifest).files
        )
        names = {file.name for file in files}
        everything = public_files(self._store, what.manifest, what.signed)
        fresh = tuple(file for file in everything if file.name not in names)
        old = self._store.read_set(what.stock.old).artifacts
        if (what.stock.target, what.stock.manifest) != (what.target.name, what.manifest):
            raise Refused(f"the stock that was taken is of {what.stock.target}, manifest {what.stock.manifest.digest}")
        if others := {one.name for one in old} - {one.name for one in fresh}:
            raise Refused(f"these are no signatures that are made anew: {', '.join(sorted(others)[:10])}")
        kept = tuple(one.model_copy(update={"name": resigning.dated_name(one.name)}) for one in old)
        return Renewal(files=files, fresh=fresh, old=old, kept=kept if resigning.kept else ())


def _require_no_signatures(wanted: Sequence[ManifestFile | PublicFile], signatures: Sequence[str]) -> None:
    names = {file.name for file in wanted}
    if both := names.intersection([*signatures, *(f"{name}{PROVENANCE_SUFFIX}" for name in names)]):
        raise Invalid(
            f"{', '.join(sorted(both)[:10])}: listed as files, but these are signatures that are to be made anew, or "
            "say how a file was made; leave both out of the list"
        )


def _require_free(target: TargetAdapter, plan: Plan, names: Sequence[str]) -> None:
    if taken := target.find_public(plan.release, names):
        raise Conflict(
            f"{taken[0].name} is public already, so nothing can be kept under that name: cancel, and start anew with "
            "another --dated"
        )
