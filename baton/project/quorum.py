"""Whether enough people hold the roles that a gate asks for."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence


def shortages(needs: Mapping[str, int], roles_held: Collection[Collection[str]]) -> Iterator[str]:
    """Why a gate can never pass, in words; nothing if it can.

    A person counts once, in one role. So for any of the gate's roles together there must be as many people who hold
    one of them as the gate asks for in these roles (Hall's theorem says that this is enough).

    Args:
        needs: how many different people of each role.
        roles_held: the roles of each person who may agree.
    """
    known: set[str] = set()
    for size in range(1, len(needs) + 1):
        for roles in combinations(needs, size):
            if known & set(roles):
                continue
            wanted = sum(needs[role] for role in roles)
            there = sum(1 for held in roles_held if set(held) & set(roles))
            if there < wanted:
                known |= set(roles)
                yield f"asks for {wanted} as {' or '.join(roles)}, but {_people(there)}"


def never_without_starter(needs: Mapping[str, int], roles_held: Sequence[Collection[str]]) -> bool:
    """Whether a gate that does not count whoever starts the release can never pass, whoever starts it.

    Args:
        needs: how many different people of each role.
        roles_held: the roles of each person who may agree, any of whom may start.
    """
    return all(
        any(shortages(needs, [*roles_held[:starter], *roles_held[starter + 1 :]])) for starter in range(len(roles_held))
    )


def _people(number: int) -> str:
    match number:
        case 0:
            return "nobody can act as that"
        case 1:
            return "only one person can act as that"
        case _:
            return f"only {number} people can act as that"
