"""What makes one plan another, in words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baton.model.plan import Plan

_ONE = {
    "steps": "step",
    "checks": "check",
    "gates": "gate",
    "targets": "target",
    "announcers": "announcer",
    "signers": "signer",
    "people": "person",
}
"""What one entry of a list is called."""

_NAMES = ("id", "name")
_LONGEST = 100
_ABSENT = object()


def changes(before: Plan, after: Plan) -> list[str]:
    """Every difference between two plans, a line each, in the order of the plan's fields.

    Entries of a list are matched by their names, others by what they say.
    """
    return list(_of_tables("", json.loads(before.model_dump_json()), json.loads(after.model_dump_json())))


def _of_tables(where: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    for key in dict.fromkeys((*before, *after)):
        one, other = before.get(key, _ABSENT), after.get(key, _ABSENT)
        if one != other:
            yield from _of_values(where, key, one, other)


def _of_values(where: str, key: str, before: Any, after: Any) -> Iterator[str]:
    place = _under(where, key.replace("_", " "))
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _of_tables("" if key == "roster" else place, before, after)
    elif isinstance(before, list) and isinstance(after, list) and _all_named([*before, *after]):
        yield from _of_entries(where, _ONE.get(key, key), before, after)
    elif isinstance(before, list) and isinstance(after, list):
        yield from (f"{place}: {_told(value)} is gone" for value in before if value not in after)
        yield from (f"{place}: {_told(value)} is new" for value in after if value not in before)
        if sorted(map(_told, before)) == sorted(map(_told, after)):
            yield f"{place}: another order"
    elif before is _ABSENT:
        yield f"{place}: {_told(after)} is new"
    elif after is _ABSENT:
        yield f"{place}: {_told(before)} is gone"
    else:
        yield f"{place}: {_told(after)}, was {_told(before)}"


def _of_entries(where: str, noun: str, before: list[Any], after: list[Any]) -> Iterator[str]:
    one, other = ({_name(entry): entry for entry in entries} for entries in (before, after))
    for name in dict.fromkeys((*one, *other)):
        place = _under(where, f"{noun} {name}")
        if name not in other:
            yield f"{place} is gone"
        elif name not in one:
            yield f"{place} is new: {_told({key: value for key, value in other[name].items() if value != name})}"
        else:
            yield from _of_tables(place, one[name], other[name])
    if list(one) != list(other) and sorted(one) == sorted(other):
        yield f"{_under(where, noun)}s: in the order {', '.join(other)}"


def _all_named(entries: list[Any]) -> bool:
    return all(isinstance(entry, dict) and any(name in entry for name in _NAMES) for entry in entries)


def _name(entry: dict[str, Any]) -> str:
    return str(next(entry[name] for name in _NAMES if name in entry))


def _under(where: str, what: str) -> str:
    return f"{where}, {what}" if where else what


def _told(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text.replace("\n", " ")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
