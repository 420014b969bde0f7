"""Who signed this, and does it count: verification and the trusted-identities document."""

from baton.trust.attested import ProvenanceReport, ProvenanceResult, ReleaseResult
from baton.trust.documents import load_identities, shipped_identities
from baton.trust.identities import SignatureKind, TrustedIdentities
from baton.trust.provenance import Expected, verify_provenance
from baton.trust.result import Fault, FileResult, Report, SignatureResult
from baton.trust.verification import verify
from baton.trust.verifiers import Trust

__all__ = [
    "Expected",
    "Fault",
    "FileResult",
    "ProvenanceReport",
    "ProvenanceResult",
    "ReleaseResult",
    "Report",
    "SignatureKind",
    "SignatureResult",
    "Trust",
    "TrustedIdentities",
    "load_identities",
    "shipped_identities",
    "verify",
    "verify_provenance",
]
