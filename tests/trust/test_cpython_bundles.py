"""Bundles that CPython's release managers published, against the document that comes with Baton; nothing is fetched."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

import pytest

from baton.model.plan import SigstoreInstance
from baton.trust.documents import shipped_identities
from baton.trust.instances import trust_configuration
from baton.trust.result import Fault
from baton.trust.sigstore import SigstoreTrust

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
    """The bundle counts for its own stream's signers and for nobody else's."""
    own = CPYTHON.stream_of(file.version)
    assert own is not None
    result = public.verify(file.bundle.read_bytes(), file.digest, own.trusted, source=file.bundle.name)
    assert result, result.reason

    others = [entry for stream in CPYTHON.streams for entry in stream.trusted if str(entry) != str(result.matched)]
    refused = public.verify(file.bundle.read_bytes(), file.digest, others, source=file.bundle.name)
    assert not refused
    assert refused.fault is Fault.UNTRUSTED
    assert refused.identity == result.identity


@pytest.mark.parametrize("file", published(FEW), ids=lambda file: file.bundle.name)
def test_published_bundles_count_for_their_stream_only(public: SigstoreTrust, file: Published) -> None:
    check(public, file)


@pytest.mark.skipif(ALL is None, reason="BATON_CPYTHON_BUNDLES names no folder with more of CPython's bundles")
def test_all_bundles_at_hand_count_for_their_stream_only(public: SigstoreTrust) -> None:
    files = published(Path(ALL or ""))
    assert files
    for file in files:
        check(public, file)
