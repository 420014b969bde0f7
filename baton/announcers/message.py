"""What people are told, whichever channel carries it."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from baton.model.announcing import Event
    from baton.model.version import ReleaseId, SecurityId

_UNSPEAKABLE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, which services refuse; direction marks, which make a text read otherwise than it is; and halves
of surrogate pairs, which have no encoding."""


@dataclass(frozen=True)
class Message:
    """One thing to tell.

    Attributes:
        event: what kind of thing.
        release: in which release.
        run: which run of the release's workflow: its first execution's id.
        occasion: tells messages of one run apart, even of equal text; the same for every attempt to send one.
        text: the words, fit to show to people; at most 2,000 characters.
        link: where people find more; may be empty.
    """

    event: Event
    release: ReleaseId | SecurityId
    run: str
    occasion: str
    text: str
    link: str

    @property
    def id(self) -> str:
        """32 hexadecimal digits: the same whenever this message is sent again, another for any other message."""
        parts = [self.run, self.occasion, self.event, str(self.release), self.text, self.link]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]

    @property
    def words(self) -> str:
        """The text in lines, without what no channel carries; never empty, which most refuse."""
        lines = self.text.replace("\r\n", "\n").replace("\r", "\n")
        return _UNSPEAKABLE.sub(" ", lines).strip() or f"{self.release}: {self.event}"

    @property
    def address(self) -> str:
        """The link as one word; empty if there is none."""
        return "".join(_UNSPEAKABLE.sub(" ", self.link).split())

    @property
    def whole(self) -> str:
        """The words, and the link on a line of its own."""
        return f"{self.words}\n{self.address}".strip()
