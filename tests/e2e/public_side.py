"""What anybody can see: published releases over HTTP, and the entries of the transparency logs."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

    from baton.sandbox.embedded import EmbeddedWorld

_EVERY = 0.2
_PUBLIC, _ABSENT = 200, 404


@dataclass(frozen=True)
class Glance:
    """What was to be seen at one moment.

    Attributes:
        public: the versions whose page is there.
        absent: those whose page is not there; of the others nobody can say, as the server is down.
        entries: in the logs.
        about: a word that the observed had said by then.
    """

    public: frozenset[str]
    absent: frozenset[str]
    entries: int
    about: str


@dataclass
class PublicSide:
    """Looks again and again, from a thread of its own, until the context ends.

    Attributes:
        about: what the observed says of the time from now on.
    """

    world: EmbeddedWorld
    project: str
    versions: tuple[str, ...]
    about: str = "closed"
    seen: list[Glance] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def when(self, about: str) -> list[Glance]:
        """What was seen while that was said."""
        return [glance for glance in self.seen if glance.about == about]

    def glance(self) -> Glance:
        """Look once."""
        # What is said after the look had begun may be true of it.
        about = self.about
        found = {version: self._status(version) for version in self.versions}
        logs = (self.world.state.sigstore / "logs").glob("*.log")
        entries = sum(log.read_bytes().count(b"\n") for log in logs)
        return Glance(
            frozenset(version for version, status in found.items() if status == _PUBLIC),
            frozenset(version for version, status in found.items() if status == _ABSENT),
            entries,
            about,
        )

    def _watch(self) -> None:
        while not self._over.wait(_EVERY):
            self.seen.append(self.glance())

    def _status(self, version: str) -> int | None:
        address = f"{self.world.facts.public_url}/{self.project}/{version}/"
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None
