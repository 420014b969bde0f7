"""No field of a bundle can be changed or left out: every leaf of real bundles is tried, through the verifier itself."""

from __future__ import annotations

import base64
import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from baton.model.base import digest_of
from baton.model.signing import SigstoreInstance
from baton.sandbox.sigstore import ISSUER, machine_identity
from baton.trust.documents import shipped_identities
from baton.trust.identities import TrustedSigstoreIdentity, Who
from baton.trust.instances import trust_configuration
from baton.trust.result import Fault
from baton.trust.sigstore import SigstoreTrust

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from baton.sandbox.sigstore.server import LocalSigstore
    from baton.trust.result import SignatureResult

    Verify = Callable[[bytes], SignatureResult]

BUNDLES = Path(__file__).parent / "bundles"
DIGESTS = json.loads((BUNDLES / "digests.json").read_text())

Where = tuple[str | int, ...]


def leaves(value: Any, at: Where = ()) -> Iterator[Where]:
    if not isinstance(value, dict | list):
        yield at
        return
    for key, below in value.items() if isinstance(value, dict) else enumerate(value):
        yield from leaves(below, (*at, key))


def with_change(document: Any, where: Where, change: Callable[[Any, str | int], None]) -> bytes:
    changed = place = copy.deepcopy(document)
    for key in where[:-1]:
        place = place[key]
    change(place, where[-1])
    return json.dumps(changed).encode()


def alter(place: Any, key: str | int) -> None:
    """Change one bit of bytes, one letter of a text, or a number by one."""
    value = str(place[key])
    if value.isdigit():
        place[key] = str(int(value) + 1)
        return
    try:
        content = bytearray(base64.b64decode(value, validate=True))
    except ValueError:
        place[key] = replaced(value, len(value) // 3)
        return
    content[len(content) // 2] ^= 1
    place[key] = base64.b64encode(content).decode()


def replaced(text: str, at: int) -> str:
    return text[:at] + ("x" if text[at] != "x" else "y") + text[at + 1 :]


def leave_out(place: Any, key: str | int) -> None:
    del place[key]


def accepted(verify: Verify, document: Any) -> set[str]:
    """What could be done to the bundle so that it still counts."""
    found = set()
    for where in leaves(document):
        for change in (alter, leave_out):
            result = verify(with_change(document, where, change))
            assert bool(result) == (result.fault is None)
            assert result.fault in {None, Fault.BAD, Fault.MALFORMED, Fault.UNTRUSTED}
            if result:
                found.add(f"{change.__name__} {'.'.join(map(str, where[-2:]))}")
    return found


def published(name: str) -> tuple[Verify, Any]:
    trust = SigstoreTrust(trust_configuration(SigstoreInstance.PUBLIC, offline=True))
    version, files = next((version, files) for version, files in DIGESTS.items() if name in files)
    stream = shipped_identities("cpython").stream_of(version)
    assert stream is not None
    digest, trusted = f"sha256:{files[name]['sha256']}", stream.trusted
    document = json.loads((BUNDLES / f"{name}.sigstore").read_text())
    return lambda content: trust.verify(content, digest, trusted, source=name), document


SAME_ROOT = {"alter inclusionProof.treeSize"}
"""The path may lead to the same root for another size too; what is signed is the root."""
EITHER_TIME = {"alter 0.signedTimestamp", "leave_out 0.integratedTime"}
"""A bundle that has its time both from the log and from an authority needs only one of them."""
IN_THE_PROOF = {"alter 0.logIndex", "alter logId.keyId"}
"""With the newer log the proof and its signed checkpoint say where the entry is, and in which log."""


@pytest.mark.parametrize(
    ("name", "harmless"),
    [
        ("Python-3.7.17.tgz", SAME_ROOT),
        ("Python-3.10.14.tar.xz", SAME_ROOT),
        ("windows-3.13.9.json", SAME_ROOT | EITHER_TIME),
        ("Python-3.14.0.tgz", set()),
    ],
)
def test_every_field_of_a_published_bundle_matters(name: str, harmless: set[str]) -> None:
    verify, document = published(name)
    assert verify(json.dumps(document).encode())
    assert accepted(verify, document) == harmless


def test_every_field_of_a_bundle_with_the_newer_log_matters(
    sandbox: LocalSigstore, bundle: Callable[[str, bytes], bytes]
) -> None:
    token = sandbox.tokens.for_machine("signer")
    for other in (b"a", b"b", b"c"):
        bundle(token, other)
    document = json.loads(bundle(token, b"hello"))
    trust = SigstoreTrust(trust_configuration(SigstoreInstance.SANDBOX, sandbox.trust_config))
    machine = TrustedSigstoreIdentity(identity=machine_identity("signer"), issuer=ISSUER, who=Who.MACHINE)

    def verify(content: bytes) -> SignatureResult:
        return trust.verify(content, digest_of(b"hello"), [machine], source="hello.sigstore.json")

    assert verify(json.dumps(document).encode())
    assert accepted(verify, document) <= SAME_ROOT | IN_THE_PROOF


def test_every_letter_that_the_log_signed_matters() -> None:
    verify, document = published("Python-3.14.0.tgz")
    checkpoint = document["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["checkpoint"]
    whole = checkpoint["envelope"]
    signed, _, _name = whole.partition("\n\n")
    for at in range(len(signed) + 1):
        checkpoint["envelope"] = replaced(whole, at)
        assert verify(json.dumps(document).encode()).fault is Fault.BAD, whole[: at + 1]
