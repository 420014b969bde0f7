"""Signing by a workflow elsewhere: it gets the files' digests, and its bundles are taken in and verified.

The worker holds a token that lets it start that workflow, which is as good as a key. So it believes nobody what the
workflow is: each of its activities wants a signer that the worker's own rules name, and an order of the release's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from activities.mandate import Mandate
from activities.records import Records
from activities.released import read_manifest
from activities.runs import follow, start_once, stop, take_in
from activities.signing import require_counting
from activities.work import does, progress
from baton.builders.github_actions import GitHubActions
from baton.builders.outside import Unusable
from baton.model import dispatching, work
from baton.model.errors import Refused
from baton.model.outside import OutsideRun, RunReport

if TYPE_CHECKING:
    from baton.model.manifest import Manifest
    from baton.settings import WorkerSettings
    from baton.store import Store


class DispatchActivities:
    """What a worker does that may start the workflow which signs."""

    def __init__(self, store: Store, settings: WorkerSettings) -> None:
        self._store = store
        self._settings = settings
        self._mandate = Mandate(store, settings)

    @does(dispatching.ORDER_SIGNING)
    def order_signing(self, what: dispatching.OrderSigning) -> OutsideRun:
        """Start a run once for each order, if this worker has proven for itself that people agreed to what precedes."""
        self._mandate.to_sign(what.signing)
        manifest = read_manifest(self._store, what.manifest)
        digests = {what.signer.digests_in: _checksums(manifest)}
        system, order = GitHubActions(what.signer.run), what.order(manifest.commit)
        return start_once(
            Records(self._store, what.release),
            _record_of(what),
            lambda: system.dispatch(order, more_inputs=digests),
        )

    @does(dispatching.FOLLOW_SIGNING)
    def follow_signing(self, what: dispatching.FollowSigning) -> RunReport:
        """Look at a run until it is elsewhere than it was; a try that was killed is followed by one that goes on."""
        overdue = "the time that signing elsewhere may take"
        return follow(self._system(what), what.run, seen=what.seen, until=what.until, overdue=overdue)

    @does(dispatching.RETRY_SIGNING)
    def retry_signing(self, what: dispatching.OrderedSigning) -> OutsideRun:
        """Have what failed run again, once."""
        progress().at(what.run.url)
        return self._system(what).retry_failed(what.run)

    @does(dispatching.COLLECT_SIGNING)
    def collect_signing(self, what: dispatching.CollectSigning) -> work.Signed:
        """Take in one bundle for each file, if all of them count; a run whose bundles don't is of no use any more."""
        names = tuple(f"{file.name}{what.signer.suffix}" for file in read_manifest(self._store, what.manifest).files)
        made = take_in(
            self._system(what),
            what.run,
            names,
            store=self._store,
            scratch=self._settings.workspace,
            limits=what.limits,
        )
        signed = work.Signed(signer=what.signer, signatures=made.artifacts)
        try:
            require_counting(signed, what.manifest, self._store, self._settings)
        except Refused as error:
            raise Unusable(f"run {what.run.id}: {error}") from None
        return signed

    @does(dispatching.CANCEL_SIGNING)
    def cancel_signing(self, what: dispatching.OrderSigning) -> work.Undone:
        """Stop the run that an order started, if it still goes on; what it signed by then stays in the public log."""
        self._mandate.to_attend(what.release, what.signer)
        run = Records(self._store, what.release).find(_record_of(what), OutsideRun)
        order = what.order(read_manifest(self._store, what.manifest).commit)
        return stop(GitHubActions(what.signer.run), run, order, of=f"sign-{what.signer.kind}")

    def _system(self, what: dispatching.OrderedSigning) -> GitHubActions:
        """What speaks with GitHub about a run, if that is the one that this release's order started.

        Raises:
            Refused: it is another, or the signer is none that this worker knows.
        """
        self._mandate.to_attend(what.release, what.signer)
        ours = Records(self._store, what.release).find(_record_of(what), OutsideRun)
        if ours is None or ours.id != what.run.id:
            started = "none" if ours is None else ours.id
            raise Refused(
                f"run {what.run.id} was not started by order {what.number} to sign this release: {started} was"
            )
        return GitHubActions(what.signer.run)


def _record_of(what: dispatching.OrderSigning | dispatching.OrderedSigning) -> str:
    return f"signing-ordered/{what.signer.kind}/{what.number}"


def _checksums(manifest: Manifest) -> str:
    """What is to be signed, as ``sha256sum`` prints it."""
    return "".join(f"{file.sha256}  {file.name}\n" for file in manifest.files)
