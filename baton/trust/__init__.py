"""Who signed this, and does it count: verification and the trusted-identities document."""

from baton.trust.identities import TrustedIdentities, load_identities, shipped_identities
from baton.trust.result import Fault, FileResult, Report, SignatureResult
from baton.trust.verification import Trust, verify

__all__ = [
    "Fault",
    "FileResult",
    "Report",
    "SignatureResult",
    "Trust",
    "TrustedIdentities",
    "load_identities",
    "shipped_identities",
    "verify",
]
