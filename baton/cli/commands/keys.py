"""Commands for the team's OpenPGP key, from the machine that has its offline part."""

# ruff: noqa: PLC0415  # why: the package's docstring
import inspect
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from baton.cli import arguments as a
from baton.cli.group import examples, help_text

_EPILOG = """\b
Examples:
  baton keys init /media/usb/gnupg --name "Spam team" --email team@spam.example --out keys
  baton keys rotate /media/usb/gnupg --out keys
  baton keys extend /media/usb/gnupg --out keys
  baton keys export /media/usb/gnupg --out keys"""

keys = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Make the team's OpenPGP key, change it, and write the files to publish.\n\n"
    "Its primary key only certifies and stays offline, in HOME. Workers get signing subkeys.",
    epilog=_EPILOG,
)


def _command(function: Callable[..., Any]) -> Callable[..., Any]:
    told = inspect.getdoc(function) or ""
    return keys.command(help=help_text(told), epilog=examples(told))(function)


class Why(StrEnum):
    """Why a key is withdrawn: the values of ``baton.signers.team_key.Reason``, which takes long to import."""

    COMPROMISED = "compromised"
    SUPERSEDED = "superseded"
    RETIRED = "retired"
    UNSPECIFIED = "unspecified"


Home = Annotated[Path, typer.Argument(metavar="HOME", help="The GnuPG home with the offline part, at most 86 bytes.")]
Out = Annotated[Path, typer.Option(metavar="DIR", help="Where files go: public/, worker/ and offline/.")]
Key = Annotated[str | None, typer.Option(metavar="FINGERPRINT", help="Which key, if HOME has several.")]
Lifetime = Annotated[
    str, typer.Option("--expires", metavar="LIFETIME", help="From today: 2y, 18m, 6w, 30d, a day, or never.")
]
PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        envvar="BATON_KEYS_PASSPHRASE_FILE",
        show_envvar=True,
        help="Its first line is the passphrase. Or set BATON_KEYS_PASSPHRASE; without either, pinentry asks.",
    ),
]
WorkerPassphraseFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Its first line protects the worker's file. Without it, the key's passphrase does."
    ),
]


@_command
def init(
    home: Home,
    *,
    name: Annotated[str, typer.Option(metavar="NAME", help="Whose key it is: the team's name.")],
    email: Annotated[str, typer.Option(metavar="ADDRESS", help="By which address people look the key up.")],
    out: Out,
    lifetime: Lifetime = "2y",
    passphrase_file: PassphraseFile = None,
    worker_passphrase_file: WorkerPassphraseFile = None,
    as_json: a.Json = False,
) -> None:
    """Make the primary key, its first signing subkey, and the certificate that revokes them.

    HOME is made with mode 0700. Writes worker/FINGERPRINT.asc, the subkey's secret part alone, for the signing worker;
    offline/FINGERPRINT.rev, the revocation certificate, to keep apart from HOME; and public/ to publish.

    Examples:
      baton keys init /media/usb/gnupg --name "Spam team" --email team@spam.example --out keys
    """
    from baton.cli.keys import Means, make

    make(Means(home, out, None, passphrase_file, as_json), f"{name} <{email}>", lifetime, worker_passphrase_file)


@_command
def rotate(
    home: Home,
    *,
    out: Out,
    lifetime: Lifetime = "2y",
    key: Key = None,
    passphrase_file: PassphraseFile = None,
    worker_passphrase_file: WorkerPassphraseFile = None,
    as_json: a.Json = False,
) -> None:
    """Add a signing subkey, for a new place that signs, or in place of one that ends.

    Those that there are stay valid until they expire. Publish public/ before the new subkey signs.

    Examples:
      baton keys rotate /media/usb/gnupg --out keys
    """
    from baton.cli.keys import Means, add

    add(Means(home, out, key, passphrase_file, as_json), lifetime, worker_passphrase_file)


@_command
def extend(
    home: Home,
    *,
    out: Out,
    lifetime: Lifetime = "2y",
    part: Annotated[
        list[str] | None,
        typer.Option(metavar="FINGERPRINT", help="Only this part; may be repeated. Else all that have not ended."),
    ] = None,
    key: Key = None,
    passphrase_file: PassphraseFile = None,
    as_json: a.Json = False,
) -> None:
    """Move the day on which the key expires, and write the public files again.

    Secret parts do not change: workers go on with what they have.

    Examples:
      baton keys extend /media/usb/gnupg --out keys
      baton keys extend /media/usb/gnupg --out keys --expires 2029-10-31
    """
    from baton.cli.keys import Means, prolong

    prolong(Means(home, out, key, passphrase_file, as_json), lifetime, tuple(part or ()))


@_command
def revoke(
    home: Home,
    part: Annotated[
        str, typer.Argument(metavar="FINGERPRINT", help="A subkey's; or the primary key's, to revoke all of it.")
    ],
    *,
    reason: Annotated[Why, typer.Option(help="Why, for programs.", show_default=False)],
    out: Out,
    text: Annotated[str, typer.Option(metavar="TEXT", help="Why, for people.")] = "",
    key: Key = None,
    yes: a.Yes = False,
    passphrase_file: PassphraseFile = None,
    as_json: a.Json = False,
) -> None:
    """Withdraw a signing subkey, or the whole key.

    gpg and `baton verify` then refuse everything it has signed, whatever the reason, also before today. For a subkey
    that nobody stole, let it expire instead.

    Examples:
      baton keys revoke /media/usb/gnupg FINGERPRINT --reason compromised --out keys
    """
    from baton.cli.keys import Means, withdraw

    withdraw(Means(home, out, key, passphrase_file, as_json), part, (reason.value, text), yes=yes)


@_command
def export(
    home: Home,
    *,
    out: Out,
    key: Key = None,
    as_json: a.Json = False,
) -> None:
    """Write the public files again: the armoured key, and a Web Key Directory for a web server.

    Examples:
      baton keys export /media/usb/gnupg --out keys
    """
    from baton.cli.keys import Means, publish

    publish(Means(home, out, key, None, as_json))
