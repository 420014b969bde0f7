"""Sign files by their digests with the identity of the workflow that this runs in: ``python sign_digests.py FOLDER``.

`DIGESTS` says what to sign as `sha256sum` prints it; ``FOLDER/NAME`` with `SUFFIX` appended becomes the bundle of each.
Nothing is written unless everything could be signed.
"""  # noqa: INP001  # a script beside the workflow that runs it, no package

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from sigstore.hashes import Hashed
from sigstore.models import ClientTrustConfig
from sigstore.oidc import IdentityToken, detect_credential
from sigstore.sign import SigningContext
from sigstore_models.common.v1 import HashAlgorithm

LINE = re.compile(r"([0-9a-f]{64}) [ *]([A-Za-z0-9_][A-Za-z0-9._+-]*)")


def to_sign(checksums: str) -> dict[str, Hashed]:
    """What is to be signed, by file name.

    Raises:
        SystemExit: a line is none that `sha256sum` prints of a file in the same folder, or there is none.
    """
    hashed: dict[str, Hashed] = {}
    for line in checksums.splitlines():
        found = LINE.fullmatch(line)
        if found is None or found[2] in hashed:
            sys.exit(f"DIGESTS: {line!r}; expected 64 digits, two spaces, and a file name without folders, each once")
        hashed[found[2]] = Hashed(algorithm=HashAlgorithm.SHA2_256, digest=bytes.fromhex(found[1]))
    return hashed or sys.exit("DIGESTS names no file")


def main(folder: Path, digests: dict[str, Hashed], suffix: str, config: ClientTrustConfig) -> None:
    """Sign each with one certificate, and write the bundles.

    Raises:
        SystemExit: nothing here gives an identity.
    """
    token = detect_credential()
    if token is None:
        sys.exit("nothing here gives an identity token; the job needs the permission id-token: write")
    with SigningContext.from_trust_config(config).signer(IdentityToken(token)) as signer:
        bundles = {name: signer.sign_artifact(digest).to_json() for name, digest in digests.items()}
    folder.mkdir(parents=True)
    for name, bundle in bundles.items():
        (folder / f"{name}{suffix}").write_text(bundle, encoding="utf-8")


if __name__ == "__main__":
    _, target, *rest = sys.argv
    trust = ClientTrustConfig.from_json(Path(rest[0]).read_text(encoding="utf-8")) if rest else None
    main(Path(target), to_sign(os.environ["DIGESTS"]), os.environ["SUFFIX"], trust or ClientTrustConfig.production())
