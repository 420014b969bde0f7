"""Keys and tokens of the codec: what the commands do, and what they say of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import typer

from baton.cli.exits import WrongCall
from baton.cli.terminal import notes, print_json
from baton.codec.files import write_lines
from baton.codec.keys import CodecKey, Keyring, keyring_of, read_keys
from baton.codec.readers import Readers, new_token, read_tokens
from baton.model.errors import Missing
from baton.settings import WorkerSettings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def add_key(file: Path, project: str, *, as_json: bool) -> None:
    """Make a key and add it to a file.

    Raises:
        BatonError: the file can't be used, or no project has such a name.
    """
    key = CodecKey.new(project)
    keys = (*(read_keys(file).keys if file.exists() else ()), key)
    _write(file, keys)
    _show(Keyring(keys), as_json=as_json)
    if Keyring(keys).encrypting(project) is not key:
        notes().print(
            f"{key.id} only decrypts yet. Bring the file to every worker and client, start them again, then: "
            f"baton codec use-key {file} {key.id}",
            soft_wrap=True,
        )


def prefer_key(file: Path, key_id: str, *, as_json: bool) -> None:
    """Move a key to the place from which it encrypts.

    Raises:
        Missing: there is no such key.
        BatonError: the file can't be used.
    """
    keyring = read_keys(file)
    key = keyring.find(key_id)
    if key is None:
        raise Missing(f"there is no key {key_id} in {file}; there are {keyring.ids()}")
    keys = (key, *(other for other in keyring.keys if other is not key))
    _write(file, keys)
    _show(Keyring(keys), as_json=as_json)


def show_keys(file: Path, *, as_json: bool) -> None:
    """Show the keys of a file, never the secrets.

    Raises:
        BatonError: the file can't be used.
    """
    _show(read_keys(file), as_json=as_json)


def give_token(file: Path, person: str, days: int) -> None:
    """Make a token, keep what proves it, and print it.

    Raises:
        BatonError: the file can't be used, or nobody can have such an id.
    """
    token, secret = new_token(person, datetime.now(UTC).date() + timedelta(days=days))
    there = read_tokens(file) if file.exists() else ()
    write_lines(file, (each.line for each in (*there, token)))
    typer.echo(secret)
    notes().print(
        f"{person} may read until {token.until}, as long as the roster has them. With the temporal CLI: "
        'TEMPORAL_CODEC_AUTH="Bearer TOKEN". In a browser: sign in at the codec server\'s /sign-in.',
        soft_wrap=True,
    )


def show_tokens(file: Path, *, as_json: bool) -> None:
    """Show who has tokens.

    Raises:
        BatonError: the file can't be used.
    """
    tokens = [{"person": token.person, "until": token.until.isoformat()} for token in read_tokens(file)]
    if as_json:
        print_json("codec-tokens", {"tokens": tokens})
        return
    for token in tokens:
        typer.echo(f"{token['person']}  until {token['until']}")


def take_back_tokens(file: Path, person: str) -> None:
    """Remove every token of a person.

    Raises:
        Missing: they have none.
        BatonError: the file can't be used.
    """
    tokens = read_tokens(file)
    kept = [token for token in tokens if token.person != person]
    if len(kept) == len(tokens):
        raise Missing(f"{person} has no token in {file}")
    write_lines(file, (token.line for token in kept))
    typer.echo(f"took back {len(tokens) - len(kept)} of {person}")


@dataclass(frozen=True)
class Served:
    """What the codec server is told by its command.

    Attributes:
        tokens: the file of people's tokens.
        origins: where Web UIs are that may ask.
        roles: of which a reader needs one; none, and everyone on the roster may read.
        https: whether people reach it by HTTPS.
    """

    tokens: Path
    origins: tuple[str, ...]
    roles: tuple[str, ...]
    https: bool


def run_server(served: Served, host: str, port: int) -> None:
    """Run the codec server until it is told to stop.

    Raises:
        Missing: its programs are not installed, it has no keys, or a file is not there.
        BatonError: a file can't be used, or the address is taken.
    """
    settings = WorkerSettings()
    keyring = keyring_of(settings)
    if not keyring:
        raise Missing("the codec server has no keys: name their file in BATON_CODEC_KEYS_FILE")
    readers = Readers(served.tokens, settings.projects, frozenset(served.roles))
    readers.require_usable()
    try:
        from baton.codec.app import CodecServer  # noqa: PLC0415  # only this command needs a web server
        from baton.codec.serve import serve  # noqa: PLC0415  # as above
    except ImportError as error:
        raise Missing(f"{error.name} is not installed: install baton-release[codec]") from error
    server = CodecServer(keyring, readers, frozenset(map(_origin, served.origins)), served.https)
    with suppress(KeyboardInterrupt):
        serve(server, host, port, ready=lambda taken: typer.echo(f"codec server at http://{host}:{taken}", err=True))


def _origin(text: str) -> str:
    """An origin as browsers write it: no path, and no slash at the end (RFC 6454, section 6.2)."""
    origin = text.rstrip("/")
    scheme, _, rest = origin.partition("://")
    if scheme not in ("http", "https") or not rest or "/" in rest:
        raise WrongCall(f"{text!r} is no origin; expected one such as http://localhost:8080")
    return origin


def _write(file: Path, keys: Sequence[CodecKey]) -> None:
    write_lines(file, (key.line for key in keys))


def _show(keyring: Keyring, *, as_json: bool) -> None:
    keys: list[dict[str, Any]] = [
        {"id": key.id, "project": key.project, "encrypts": keyring.encrypting(key.project) is key}
        for key in keyring.keys
    ]
    if as_json:
        print_json("codec-keys", {"keys": keys})
        return
    for key in keys:
        typer.echo(f"{key['id']}  {'encrypts' if key['encrypts'] else 'decrypts'}  {key['project']}")
