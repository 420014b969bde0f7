"""Commands for encryption of what passes through Temporal: keys, and the server that reads for people."""

# ruff: noqa: PLC0415  # why: the package's docstring
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from baton.cli import arguments as a
from baton.cli.group import examples, help_text

_EPILOG = """\b
Examples:
  baton codec new-key codec.keys --for spam
  baton codec use-key codec.keys k0a1b2c3d4e5f
  baton codec new-token readers ada
  baton codec serve --tokens readers --origin http://localhost:8080"""

codec = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Encrypt what passes through Temporal, and let the roster's people read it.\n\n"
    "Workers and `baton` take their keys from the file that BATON_CODEC_KEYS_FILE names.",
    epilog=_EPILOG,
)


def _command(function: Callable[..., Any]) -> Callable[..., Any]:
    told = inspect.getdoc(function) or ""
    return codec.command(help=help_text(told), epilog=examples(told))(function)


Keys = Annotated[Path, typer.Argument(metavar="FILE", help="The file of keys.")]
Tokens = Annotated[Path, typer.Argument(metavar="FILE", help="The codec server's file of tokens.")]
Person = Annotated[str, typer.Argument(metavar="PERSON", help="Their id on the roster.")]


@_command
def new_key(
    file: Keys,
    *,
    project: Annotated[
        str, typer.Option("--for", metavar="PROJECT", help="The only project that it is for; * for every one.")
    ] = "*",
    as_json: a.Json = False,
) -> None:
    """Add a key to a file, which is made with mode 0600 if it is not there.

    The first key encrypts at once. A later one only decrypts, until `use-key`: bring it to every worker and client
    first, so that nobody meets what they can't read.

    Examples:
      baton codec new-key codec.keys --for spam
    """
    from baton.cli.codec import add_key

    add_key(file, project, as_json=as_json)


@_command
def list_keys(file: Keys, *, as_json: a.Json = False) -> None:
    """Show the keys of a file by their ids, and which of them encrypts.

    Examples:
      baton codec list-keys codec.keys
    """
    from baton.cli.codec import show_keys

    show_keys(file, as_json=as_json)


@_command
def use_key(
    file: Keys,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Its id.")],
    *,
    as_json: a.Json = False,
) -> None:
    """Have a key encrypt from now on. The others go on decrypting; workers take the file up when they start.

    Examples:
      baton codec use-key codec.keys k0a1b2c3d4e5f
    """
    from baton.cli.codec import prefer_key

    prefer_key(file, key, as_json=as_json)


@_command
def new_token(
    file: Tokens,
    person: Person,
    *,
    days: Annotated[int, typer.Option(min=1, max=366, help="For how many days it counts.")] = 90,
) -> None:
    """Give somebody a token for the codec server, and print it: it is shown this once, and kept nowhere.

    The file, made with mode 0600 if it is not there, keeps what proves it. It counts at once, and only for projects
    whose roster has the person.

    Examples:
      baton codec new-token readers ada
      baton codec new-token readers grace --days 7
    """
    from baton.cli.codec import give_token

    give_token(file, person, days)


@_command
def list_tokens(file: Tokens, *, as_json: a.Json = False) -> None:
    """Show who has a token for the codec server, and until when.

    Examples:
      baton codec list-tokens readers
    """
    from baton.cli.codec import show_tokens

    show_tokens(file, as_json=as_json)


@_command
def revoke_tokens(file: Tokens, person: Person) -> None:
    """Take back every token of a person. It counts at once.

    Examples:
      baton codec revoke-tokens readers ada
    """
    from baton.cli.codec import take_back_tokens

    take_back_tokens(file, person)


@_command
def serve(
    *,
    tokens: Annotated[Path, typer.Option(metavar="FILE", help="The file of people's tokens.")],
    origin: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="Where a Web UI is that may ask, such as http://localhost:8080. Repeatable."),
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE", help="Only people with this role may read; may be repeated. Else all on a roster."
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option(help="The address to listen on. It speaks plain HTTP: what is not this machine needs a proxy."),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for a free one.")] = 8081,
    https: Annotated[bool, typer.Option("--https", help="People reach it by HTTPS, through a proxy.")] = False,
) -> None:
    """Run the codec server, which decrypts and encrypts for Temporal's Web UI and the `temporal` CLI.

    It has the keys that BATON_CODEC_KEYS_FILE names. Who may read: everyone with a token whom the roster of a
    release.toml in BATON_PROJECTS has, and only that project's payloads. It logs nothing of what is read.

    Examples:
      baton codec serve --tokens readers --origin http://localhost:8080
      baton codec serve --tokens readers --origin https://temporal.spam.example --https --role release-manager
    """
    from baton.cli.codec import Served, run_server

    run_server(Served(tokens, tuple(origin or ()), tuple(role or ()), https), host, port)
