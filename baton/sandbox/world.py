"""The facts of a world: where its parts are, for whoever wants to use them."""

from __future__ import annotations

from pathlib import Path  # pydantic reads it at run time

from pydantic import ValidationError

from baton.model.base import Value
from baton.model.errors import Invalid, Missing
from baton.sandbox.state import State, write_private


class FakeCi(Value):
    """The simulators of outside CI systems, by their addresses without a slash at the end."""

    github: str
    azure: str


class World(Value):
    """A local world, as it was when it last came up; its keys and identities prove nothing to anyone else.

    Attributes:
        state: the folder that holds all of it.
        temporal_address: ``host:port`` of the Temporal server.
        ui_url: the Temporal Web UI.
        store: the content-addressed store.
        public_root: where the sandbox target keeps its folders; :func:`baton.targets.sandbox_folder` is the public one.
        public_url: the address that serves that one.
        trust_config: the Sigstore client trust configuration, as ``sigstore --trust-config`` takes it.
        identity: whom the signing worker's Sigstore certificates name.
        issuer: the OIDC issuer that vouches for that.
        gpg_fingerprint: the team key's primary fingerprint.
        gpg_public_key: a file with its armoured public key block.
        hello_repository: the example project's git repository.
        hello_commit: the commit to release from it.
        fake_ci: where the simulators of outside CI systems are, in a world that has them.
        codec_keys: the file with the keys of a world that encrypts what passes through Temporal.
        pids: its processes by name, and ``world`` for the one that keeps them running.
    """

    state: Path
    temporal_address: str
    ui_url: str
    namespace: str
    store: Path
    public_root: Path
    public_url: str
    trust_config: Path
    identity: str
    issuer: str
    gpg_fingerprint: str
    gpg_public_key: Path
    hello_repository: Path
    hello_commit: str
    fake_ci: FakeCi | None = None
    codec_keys: Path | None = None
    pids: dict[str, int]


def read_world(state: Path) -> World:
    """The facts of the world in a state folder; it may be down by now.

    Raises:
        Missing: no world ever came up there.
        Invalid: its facts are not readable, or of another release of Baton.
    """
    file = State.at(state).facts
    try:
        return World.model_validate_json(file.read_bytes())
    except FileNotFoundError as error:
        raise Missing(f"there is no world at {state}: start one with `baton dev`") from error
    except ValidationError as error:
        raise Invalid(
            f"{file} does not hold the facts of a world of this release of Baton ({error.error_count()} differences): "
            "start it again with `baton dev`"
        ) from error


def write_world(world: World) -> None:
    """Put a world's facts where :func:`read_world` finds them."""
    write_private(State.at(world.state).facts, world.model_dump_json(indent=2).encode())
