"""Times and sizes as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_SIZES = ("bytes", "KiB", "MiB", "GiB")
_STEP = 1024


def age(span: timedelta) -> str:
    """A span of time by its two largest units: ``3 d 4 h``, ``12 min 5 s``, ``0 s``."""
    left = max(0, int(span.total_seconds()))
    parts = []
    for seconds, unit in _UNITS:
        count, left = divmod(left, seconds)
        parts.append((count, unit))
    first = next((place for place, (count, _) in enumerate(parts) if count), len(parts) - 1)
    shown = [f"{count} {unit}" for count, unit in parts[first : first + 2] if count]
    return " ".join(shown) or "0 s"


def moment(when: datetime) -> str:
    """A point in time, in UTC, to the minute."""
    return f"{when:%Y-%m-%d %H:%M} UTC"


def size(count: int) -> str:
    """A number of bytes as people read it, in powers of 1024: ``12.3 KiB``."""
    amount = float(count)
    for unit in _SIZES[:-1]:
        if amount < _STEP:
            return f"{amount:.0f} {unit}" if unit == _SIZES[0] else f"{amount:.1f} {unit}"
        amount /= _STEP
    return f"{amount:.1f} {_SIZES[-1]}"
