"""How a signature is made: one port, one file for each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.model.errors import Refused
from baton.model.signing import GpgSigner, SigstoreSigner
from baton.signers.gpg import GpgBatchSigner
from baton.signers.port import BatchSigner, File, Keep
from baton.signers.sigstore import SigstoreBatchSigner

if TYPE_CHECKING:
    from baton.model.signing import Signer
    from baton.settings import WorkerSettings

__all__ = ["BatchSigner", "File", "Keep", "open_signer"]


def open_signer(signer: Signer, settings: WorkerSettings) -> BatchSigner:
    """The adapter that makes a plan's signatures with what this worker has been given.

    Raises:
        Missing: the worker has no key or token; the message names the setting.
        Invalid: what it has can't be used.
        Refused: what it has is not for this plan; or no worker makes these signatures.
        Unavailable: the trust root of the Sigstore instance could not be refreshed.
    """
    if isinstance(signer, SigstoreSigner):
        return SigstoreBatchSigner.from_settings(signer, settings)
    if isinstance(signer, GpgSigner):
        return GpgBatchSigner.from_settings(signer.key, settings)
    raise Refused(f"{signer.kind} signatures are made elsewhere: no worker has what makes them")
