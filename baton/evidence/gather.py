"""Putting the evidence together: every document of the folder, from what a release tells and what the store keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.evidence.acts import envelope_path, plans_followed
from baton.evidence.attested import PROVENANCE, STATEMENT
from baton.evidence.page import page
from baton.evidence.together import JOINT, envelopes_of
from baton.model.base import canonical_json, digest_of
from baton.model.evidence import INDEX, Document, Evidence
from baton.model.manifest import Manifest
from baton.model.plan import Plan
from baton.model.security import JointManifest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from baton.model.acts import Heard
    from baton.model.base import Digest
    from baton.model.evidence import Record

PAGE = "index.html"
"""The page that a person opens."""


def gather(record: Record, chain: Sequence[Heard], read: Callable[[Digest], bytes]) -> dict[str, bytes]:
    """Every document of a release's evidence by its path in the folder, but for the signatures of the list.

    The same arguments give the same bytes.

    Args:
        record: what the release tells of itself.
        chain: every act that it heard, in order.
        read: the content of a digest, from the store.

    Raises:
        BatonError: as ``read`` does; the store lacks a plan, the manifest, the joint manifest or an envelope.
    """
    documents = {"record.json": canonical_json(record), "plan.json": read(record.plan)}
    followed = plans_followed(chain, read, plan=record.plan)
    documents |= {
        f"plans/{digest.removeprefix('sha256:')}.json": read(digest) for digest in followed if digest != record.plan
    }
    if record.manifest is not None:
        documents["manifest.json"] = read(record.manifest)
    documents |= {f"acts/{heard.number:04}.json": canonical_json(heard) for heard in chain}
    envelopes = {heard.envelope for heard in chain if heard.envelope is not None}
    joint = None
    if record.joint is not None:
        documents[JOINT] = read(record.joint.subject)
        joint = JointManifest.model_validate_json(documents[JOINT])
        envelopes |= envelopes_of(record.joint)
    documents |= {envelope_path(digest): read(digest) for digest in envelopes}
    documents |= {f"built/{built.step}.json": read(built.artifacts.digest) for built in record.built}
    documents |= {f"signatures/{made.signer.kind}.json": read(made.signatures.digest) for made in record.signed}
    if record.attested is not None:
        documents[PROVENANCE] = read(record.attested.digest)
    if record.attestation is not None:
        documents[STATEMENT] = read(record.attestation.digest)
    manifest = documents.get("manifest.json")
    documents[PAGE] = page(
        record,
        Plan.model_validate_json(documents["plan.json"]),
        None if manifest is None else Manifest.model_validate_json(manifest),
        chain,
        joint,
    )
    return {**documents, INDEX: canonical_json(_index(record, chain, documents))}


def _index(record: Record, chain: Sequence[Heard], documents: dict[str, bytes]) -> Evidence:
    return Evidence(
        release=record.release,
        run=record.run,
        sandbox=record.sandbox,
        plan=record.plan,
        manifest=record.manifest,
        complete=record.complete,
        at=record.at,
        acts=len(chain),
        head=digest_of(canonical_json(chain[-1])) if chain else record.plan,
        documents=tuple(
            Document(name=name, digest=digest_of(content), size=len(content))
            for name, content in sorted(documents.items())
        ),
    )
