"""How much anyone may ask of the codec server."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_CALLERS = 1000
"""How many callers are remembered; more than a roster has, and no way to fill the memory."""


@dataclass
class Allowance:
    """A token bucket for each caller.

    Attributes:
        burst: requests at once.
        every_second: how many are added each second, up to that.
        clock: seconds that only go forward.
    """

    burst: float
    every_second: float
    clock: Callable[[], float] = time.monotonic
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)

    def take(self, caller: str) -> bool:
        """Take one request from what a caller may still ask; False if there is none left."""
        now = self.clock()
        left, since = self._left.pop(caller, (self.burst, now))
        left = min(self.burst, left + (now - since) * self.every_second)
        allowed = left >= 1
        self._left[caller] = (left - 1 if allowed else left, now)
        if len(self._left) > _CALLERS:
            del self._left[next(iter(self._left))]
        return allowed
