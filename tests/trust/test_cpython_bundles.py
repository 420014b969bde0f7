"""Bundles that CPython's release managers published, against the document that comes with Baton; nothing is fetched."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from baton.model.signing import SigstoreInstance
from baton.trust.documents import shipped_identities
from baton.trust.identities import TrustedSigstoreIdentity, Who
from baton.trust.instances import trust_configuration
from baton.trust.result import Fault
from baton.trust.sigstore import SigstoreTrust

if TYPE_CHECKING:
    from collections.abc import Sequence

    from baton.trust.identities import TrustedIdentity
    from baton.trust.result import SignatureResult

FEW = Path(__file__).parent / "bundles"
ALL = os.environ.get("BATON_CPYTHON_BUNDLES")
"""A folder with ``VERSION/FILE.sigstore`` and ``digests.json``."""

CPYTHON = shipped_identities("cpython")


class Published(NamedTuple):
    version: str
    digest: str
    bundle: Path


def published(folder: Path) -> list[Published]:
    digests = json.loads((folder / "digests.json").read_text())
    bundles = {path.name.removesuffix(".sigstore"): path for path in folder.rglob("*.sigstore")}
    found = [
        Published(version, f"sha256:{entry['sha256']}", bundles.pop(name))
        for version, files in digests.items()
        for name, entry in files.items()
        if name in bundles
    ]
    assert not bundles, "every bundle has a digest"
    return found


@pytest.fixture(scope="module")
def public() -> SigstoreTrust:
    return SigstoreTrust(trust_configuration(SigstoreInstance.PUBLIC, offline=True))


def check(public: SigstoreTrust, file: Published) -> None:
    """The bundle counts for its own stream's signers, in their days and for its own file, and for nobody else's."""
    content = file.bundle.read_bytes()

    def verify(trusted: Sequence[TrustedIdentity], digest: str = file.digest) -> SignatureResult:
        return public.verify(content, digest, trusted, source=file.bundle.name)

    own = CPYTHON.stream_of(file.version)
    assert own is not None
    result = verify(own.trusted)
    assert result, result.reason
    assert result.signed_at is not None

    for stream in CPYTHON.streams:
        by_the_same = any(str(entry) == str(result.matched) for entry in stream.trusted)
        judged = verify(stream.trusted)
        assert judged.identity == result.identity
        assert judged.fault is None if by_the_same else judged.fault is Fault.UNTRUSTED, stream.name

    person = TrustedSigstoreIdentity(identity=result.identity or "", issuer=result.issuer or "", who=Who.HUMAN)
    assert verify([person])
    for wrong in ({"identity": f"x{result.identity}"}, {"issuer": f"{result.issuer}/"}):
        assert verify([person.model_copy(update=wrong)]).fault is Fault.UNTRUSTED
    day, one = result.signed_at.date(), timedelta(days=1)
    assert verify([person.model_copy(update={"first": day, "last": day})])
    for outside in ({"first": day + one}, {"last": day - one}):
        assert verify([person.model_copy(update=outside)]).fault is Fault.OUTSIDE_WINDOW
    assert verify(own.trusted, f"sha256:{'0' * 64}").fault is Fault.BAD


@pytest.mark.parametrize("file", published(FEW), ids=lambda file: file.bundle.name)
def test_published_bundles_count_for_their_stream_only(public: SigstoreTrust, file: Published) -> None:
    check(public, file)


@pytest.mark.skipif(ALL is None, reason="BATON_CPYTHON_BUNDLES names no folder with more of CPython's bundles")
def test_all_bundles_at_hand_count_for_their_stream_only(public: SigstoreTrust) -> None:
    files = published(Path(ALL or ""))
    assert files
    for file in files:
        check(public, file)
