"""What a release has made by the time that it becomes public."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from baton.model.manifest import ManifestRef, SetRef
    from baton.model.work import Signed


@dataclass(frozen=True)
class ReleaseFiles:
    """The files, and what lies beside them.

    Attributes:
        manifest: the list of all files.
        signed: the signatures that each signer made.
        attested: the signed statements of how each file was made, where a machine signs.
    """

    manifest: ManifestRef
    signed: tuple[Signed, ...] = ()
    attested: SetRef | None = None
