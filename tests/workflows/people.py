"""People with SSH keys, and what they sign."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from baton.model.roster import Person, Roster, SshKey
from baton.model.statement import statement_of
from baton.proof import seal
from baton.proof.ssh_key import SshSigningKey
from tests.proof.conftest import make_ssh_key

if TYPE_CHECKING:
    from pathlib import Path

    from baton.model.acts import Act
    from baton.model.status import ReleaseStatus

Kind = TypeVar("Kind", bound="Act")

HOLDERS = {
    "ada": ("release-manager",),
    "grace": ("release-manager", "windows-expert"),
    "hedy": ("release-manager",),
    "katherine": ("macos-expert",),
}
"""Everyone on the roster, with their roles."""

WINDOWS = {"old": {"until": "2020-01-01"}, "stolen": {"revoked": "2026-01-01"}}
"""Two more keys of Ada's."""


@dataclass(frozen=True)
class People:
    """Who may act, with the files of their keys; the stranger's is on no roster."""

    keys: dict[str, SshSigningKey]

    @property
    def roster(self) -> Roster:
        more = tuple(self.keys[name].credential for name in WINDOWS)
        return Roster(
            people=tuple(
                Person(
                    id=who,
                    name=who.title(),
                    roles=roles,
                    keys=(self.keys[who].credential, *(more if who == "ada" else ())),
                )
                for who, roles in HOLDERS.items()
            )
        )

    def sign(self, act: Act, key: str = "") -> dict[str, Any]:
        """The act in an envelope, signed with the author's key or with another."""
        envelope: dict[str, Any] = json.loads(seal(statement_of(act), self.keys[key or act.by]))
        return envelope


def make_people(folder: Path) -> People:
    def key(name: str) -> SshSigningKey:
        file = folder / name
        made = make_ssh_key(file)
        return SshSigningKey(SshKey.model_validate({**made.model_dump(by_alias=True), **WINDOWS.get(name, {})}), file)

    return People({name: key(name) for name in (*HOLDERS, *WINDOWS, "stranger")})


def act(kind: type[Kind], status: ReleaseStatus, by: str, **facts: Any) -> Kind:
    """What a person says now about a release as it stands, ready to be signed."""
    return kind.model_validate(
        {
            "release": status.release,
            "run": status.run,
            "subject": status.subject,
            "by": by,
            "role": "release-manager",
            "at": datetime.now(UTC),
            "nonce": secrets.token_hex(16),
            **facts,
        }
    )


def about_gate(kind: type[Kind], status: ReleaseStatus, by: str, **facts: Any) -> Kind:
    """The same about the gate that is open."""
    (gate,) = (gate for gate in status.gates if gate.passed_at is None)
    return act(kind, status, by, **{"gate": gate.gate, "attempt": gate.attempt, "subject": gate.subject, **facts})
