"""The workers of a world: one process for each task queue, each with only what its duty needs, as separate machines."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import baton
from baton.model.errors import Invalid, Missing
from baton.sandbox.children import Child
from baton.sandbox.environment import bare_environment
from baton.sandbox.servers import SERVERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from baton.sandbox.state import State

QUEUES = ("release", "build-source", "build-docs", "build-windows", "build-macos", "sign", "publish")
"""The task queues that the example needs. Each is a worker's name as well."""

FAKE_CI_QUEUES = ("release", "build-source", "build-docs", "ci", "sign", "publish")
"""The same where simulators of outside CI systems build some of it."""

_GRACE = 3.0
"""Seconds to finish what is under way. What takes longer is done again at the next start, as after a crash."""


@dataclass(frozen=True)
class Signing:
    """What only signing workers get.

    Attributes:
        gpg_home: the GnuPG home with the team's signing subkey.
        token_url: where the machine gets its identity token.
        client_id: the machine's name there.
        client_secret_file: a file with its secret.
    """

    gpg_home: Path
    token_url: str
    client_id: str
    client_secret_file: Path


@dataclass(frozen=True)
class Workers:
    """What the workers of a world are made from.

    Attributes:
        temporal_address: ``host:port``.
        trust_config: for those that sign with Sigstore or verify signatures, people's among them.
        public_url: for those that publish.
        ci: the variables by which one speaks with outside CI systems.
        codec_keys: the file with the keys by which all encrypt what passes through Temporal, or None.
    """

    state: State
    temporal_address: str
    trust_config: Path
    public_url: str
    signing: Signing
    ci: Mapping[str, str] = field(default_factory=dict)
    codec_keys: Path | None = None

    def child(self, queue: str) -> Child:
        """The worker for a task queue.

        Args:
            queue: ``NAME``, or ``NAME=DUTY`` where the name does not say what is done there; see ``worker.py``.

        Raises:
            Invalid: the queue is called like one of the world's servers.
            Missing: ``worker.py`` is not installed.
        """
        name, _, duty = queue.partition("=")
        if name in SERVERS:
            raise Invalid(f"a queue can't be called {name} here: one of the world's servers has that name")
        workspace = self.state.workspace(name)
        workspace.mkdir(mode=0o700, parents=True, exist_ok=True)
        ready = self.state.ready / name
        return Child(
            name=name,
            command=(sys.executable, str(_worker_program()), f"--queue={queue}", f"--ready-file={ready}"),
            environment={
                **bare_environment(),
                "TEMPORAL_ADDRESS": self.temporal_address,
                # A profile of the user's is about another server.
                "TEMPORAL_CONFIG_FILE": os.devnull,
                "BATON_SANDBOX": str(self.state.folder),
                "BATON_STORE": str(self.state.store),
                "BATON_WORKSPACE": str(workspace),
                **({"BATON_CODEC_KEYS_FILE": str(self.codec_keys)} if self.codec_keys else {}),
                **self._for_duty(duty or name),
            },
            log=self.state.logs / f"{name}.log",
            purpose=f"worker of queue {name}",
            ready_file=ready,
            grace=_GRACE,
        )

    def _for_duty(self, duty: str) -> Mapping[str, str]:
        match duty:
            case "release":
                return {"BATON_SIGSTORE_TRUST_CONFIG": str(self.trust_config)}
            case "sign":
                return {
                    "BATON_GPG_HOME": str(self.signing.gpg_home),
                    "BATON_SIGSTORE_TRUST_CONFIG": str(self.trust_config),
                    "BATON_IDENTITY_TOKEN_URL": self.signing.token_url,
                    "BATON_IDENTITY_CLIENT_ID": self.signing.client_id,
                    "BATON_IDENTITY_CLIENT_SECRET_FILE": str(self.signing.client_secret_file),
                }
            case "ci":
                return self.ci
            case "publish":
                return {
                    "BATON_PUBLIC_ROOT": str(self.state.target),
                    "BATON_PUBLIC_URL": self.public_url,
                    # By which it proves sign-offs of Sigstore identities before it promotes.
                    "BATON_SIGSTORE_TRUST_CONFIG": str(self.trust_config),
                }
            case _:
                return {}


def _worker_program() -> Path:
    """``worker.py``, which lies beside the package in a checkout and in an installation alike."""
    program = Path(baton.__file__).parents[1] / "worker.py"
    if not program.is_file():
        raise Missing(f"{program} is not there: Baton is not installed whole, install it again")
    return program
