"""Verifying a published release as a stranger would: everything is fetched from where the public finds it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from baton.model.attesting import PROVENANCE_SUFFIX
from baton.trust.download import download
from baton.trust.release import verify_release

if TYPE_CHECKING:
    from collections.abc import Sequence

    from baton.model.manifest import Artifact
    from baton.model.signing import Signer
    from baton.trust.result import Report


def verify_as_stranger(url: str, files: Sequence[Artifact], signers: Sequence[Signer], *, trust_config: Path) -> Report:
    """Download what a web folder lists and verify it; gpg has a keyring of its own for it.

    Args:
        url: the release's public folder, with ``/`` at its end.
        files: the manifest's files.
        signers: whose signatures each of them has to have.
        trust_config: the Sigstore instance's client trust configuration.

    Returns:
        The facts of each file; true when everything is as it has to be.

    Raises:
        Missing: a file of the manifest is not there.
        Unavailable, Failed: the server does not answer, or refuses.
    """
    with TemporaryDirectory(prefix="baton-stranger-") as folder:
        fetched = Path(folder)
        download(url, fetched)
        signed = [(signer, _signatures(fetched, signer)) for signer in signers]
        return verify_release([(file, fetched / file.name) for file in files], signed, trust_config=trust_config)


def _signatures(folder: Path, signer: Signer) -> dict[str, bytes]:
    """What has the signer's suffix, but for the statements of how files were made, whose suffix ends like it."""
    return {
        path.name: path.read_bytes()
        for path in folder.glob(f"*{signer.suffix}")
        if not path.name.endswith(PROVENANCE_SUFFIX)
    }
