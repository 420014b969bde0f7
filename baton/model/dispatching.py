"""The contract between workflows and activities about signing by a workflow elsewhere, which gets digests alone."""

from __future__ import annotations

import hashlib
from typing import Annotated

from pydantic import AwareDatetime, Field

from baton.model.base import Commit, Text, Value
from baton.model.gate import GateResult
from baton.model.manifest import ManifestRef
from baton.model.outside import OutsideOrder, OutsideRun, RunReport, RunState
from baton.model.plan import ArchiveLimits
from baton.model.signing import DispatchedSigner
from baton.model.work import ReleaseRef, Signed, SignFiles, Undone, Work

_Number = Annotated[int, Field(ge=1)]
"""Which order of the signer it is; each starts at most one run."""


class OrderSigning(Value):
    """Start the outside run that signs every file of the manifest, or find the one that this order started already.

    Attributes:
        gates: what people have agreed to; the worker proves it again before it starts anything.
        tag: the release's tag, for the run's inputs.
        asked: when it was first given.
    """

    release: ReleaseRef
    signer: DispatchedSigner
    manifest: ManifestRef
    gates: tuple[GateResult, ...]
    tag: Text
    number: _Number
    asked: AwareDatetime

    @property
    def signing(self) -> SignFiles:
        """The same as signing: what people have to have agreed to."""
        return SignFiles(release=self.release, signer=self.signer, manifest=self.manifest, gates=self.gates)

    def order(self, commit: Commit) -> OutsideOrder:
        """What is ordered for files of a commit; no other release run, manifest, signer or number has its key."""
        ref = self.release
        about = "\n".join(
            (str(ref.release), ref.run, ref.plan, self.manifest.digest, self.signer.kind, str(self.number))
        )
        digest = hashlib.sha256(about.encode()).hexdigest()
        return OutsideOrder(
            key=f"sign-{self.number}-{digest[:32]}",
            version=str(ref.release.version),
            tag=self.tag,
            commit=commit,
            asked=self.asked,
        )


class OrderedSigning(Value):
    """Have what failed of a run that signs run again.

    Attributes:
        number: of the order that started the run; the worker attends to no other run.
    """

    release: ReleaseRef
    signer: DispatchedSigner
    number: _Number
    run: OutsideRun


class FollowSigning(OrderedSigning):
    """Follow a run that signs until it is elsewhere than it was.

    Attributes:
        seen: where it was last.
        until: when it has taken longer than it may.
    """

    seen: RunState | None
    until: AwareDatetime


class CollectSigning(OrderedSigning):
    """Take in the signatures that a run made, if each is what it has to be."""

    manifest: ManifestRef
    limits: ArchiveLimits


ORDER_SIGNING = Work("order_signing", OrderSigning, OutsideRun)
FOLLOW_SIGNING = Work("follow_signing", FollowSigning, RunReport)
RETRY_SIGNING = Work("retry_signing", OrderedSigning, OutsideRun)
COLLECT_SIGNING = Work("collect_signing", CollectSigning, Signed)
CANCEL_SIGNING = Work("cancel_signing", OrderSigning, Undone)
