"""Where a command looks: which Temporal, which Web UI, which store."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from baton.sandbox.state import default_state
from baton.sandbox.world import World, read_world
from baton.settings import WorkerSettings

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Where Temporal and what belongs to it are.

    Attributes:
        world: the local world, when that is meant.
        options: what a command that is printed for people needs added to look at the same place.
    """

    world: World | None = None
    options: str = ""

    @property
    def address(self) -> str | None:
        """The address of the world's Temporal; None to go by Temporal's own configuration, as TEMPORAL_ADDRESS does."""
        if self.world is None or os.environ.get("TEMPORAL_ADDRESS"):
            return None
        return self.world.temporal_address

    @property
    def namespace(self) -> str | None:
        """The world's namespace; None to go by Temporal's own configuration."""
        return None if self.world is None or self.address is None else self.world.namespace

    @property
    def codec_keys(self) -> Path | None:
        """The file with the world's codec keys, if it encrypts; None to go by the environment, as elsewhere."""
        return None if self.world is None or self.address is None else self.world.codec_keys

    @property
    def ui_url(self) -> str | None:
        """The world's Web UI; None when it is not the one that is meant."""
        return None if self.world is None or self.address is None else self.world.ui_url

    @property
    def store(self) -> str:
        """The address of the artifact store: BATON_STORE, else the world's, else where workers here keep theirs."""
        if os.environ.get("BATON_STORE") or self.world is None:
            return WorkerSettings().store
        return str(self.world.store)

    def trust_config(self, *, sandbox: bool) -> Path | None:
        """The client trust configuration of another Sigstore instance than the public one.

        It is what BATON_SIGSTORE_TRUST_CONFIG names; for rehearsals else the world's.
        """
        configured = WorkerSettings().sigstore_trust_config
        if configured is not None or self.world is None or not sandbox:
            return configured
        return self.world.trust_config

    def command(self, text: str) -> str:
        """A command for people to type that looks at the same place."""
        return text + self.options


def find_place(*, sandbox: bool = False, state: Path | None = None) -> Place:
    """The place that a command's options and environment name.

    Args:
        sandbox: whether the local world is meant.
        state: its folder, which implies it; the default one is taken if None.

    Raises:
        Missing: there is no such world.
    """
    if state is None and not sandbox:
        return Place()
    folder = default_state() if state is None else state
    return Place(world=read_world(folder), options=_options(state))


def _options(state: Path | None) -> str:
    if os.environ.get("BATON_STATE"):
        return ""
    if state is not None:
        return f" --state {shlex.quote(str(state))}"
    return " --sandbox"
