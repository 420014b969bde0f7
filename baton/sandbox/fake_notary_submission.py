"""The simulator of Apple's notary service: who submits to it, what it has of a submission, and what can go wrong."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

MALWARE = b"X5O!P%@AP"
"""What it takes for malware: how EICAR's test file begins."""


class Fault(Enum):
    """What can go wrong."""

    ANSWER_LOST = auto()
    """A submission is opened, and the answer is an error."""
    UPLOAD_LOST = auto()
    """A file arrives, and the answer is an error."""
    UPLOAD_REFUSED = auto()
    """A file does not arrive."""
    UNAUTHORIZED = auto()
    """The token is not accepted."""
    AGREEMENT = auto()
    """The account holder has an agreement to accept."""
    BROKEN = auto()
    """503, once."""
    GARBLED = auto()
    """An answer that is not one."""
    HELD = auto()
    """A file is not judged until :meth:`FakeNotary.release`."""
    LOG_LATE = auto()
    """A verdict is there before its log."""


@dataclass
class FakeSubmission:
    """A submission, its credentials included."""

    name: str
    sha256: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    access_key: str = field(default_factory=lambda: f"ASIA{secrets.token_hex(8).upper()}")
    session: str = field(default_factory=secrets.token_urlsafe)
    content: bytes | None = None
    held: bool = False

    @property
    def status(self) -> str:
        """The verdict in the service's words."""
        if self.content is None or self.held:
            return "In Progress"
        return "Invalid" if MALWARE in self.content else "Accepted"


@dataclass
class Team:
    """Who may submit: the key of the App Store Connect API."""

    issuer: str
    key_id: str
    key: EllipticCurvePublicKey
