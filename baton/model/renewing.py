"""The contract between workflows and activities about signing anew what is public."""

from __future__ import annotations

from baton.model.base import Name, Value
from baton.model.gate import GateResult
from baton.model.manifest import ManifestRef, SetRef
from baton.model.plan import Target
from baton.model.work import ReleaseRef, Signed, Work


class TakeStock(Value):
    """Fetch every file from the public side of one target, compare it, and see which signatures are there."""

    release: ReleaseRef
    target: Target


class Stock(Value):
    """What is public on a target before anything is signed.

    Attributes:
        manifest: the files, each fetched and right.
        old: the signatures in whose place new ones are to be put.
    """

    target: Name
    manifest: ManifestRef
    old: SetRef


class Renew(Value):
    """Make the new signatures public on one target, in place of the old ones, all at one moment.

    Attributes:
        stock: what was public there when people agreed.
        gates: what people have agreed to; the publishing worker proves it again.
    """

    release: ReleaseRef
    target: Target
    manifest: ManifestRef
    signed: tuple[Signed, ...]
    gates: tuple[GateResult, ...]
    stock: Stock


class Renewed(Value):
    """The new signatures are public at this address, and nothing else has changed there.

    Attributes:
        signatures: how many are new.
        kept: how many old ones stay under dated names.
    """

    target: Name
    url: str
    signatures: int
    kept: int


TAKE_STOCK = Work("take_stock", TakeStock, Stock)
RENEW = Work("renew_signatures", Renew, Renewed)
