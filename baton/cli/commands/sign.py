"""The command by which a person signs a release's files."""

# ruff: noqa: PLC0415  # why: the package's docstring
from pathlib import Path
from typing import Annotated

import typer

from baton.cli import arguments as a


def sign(
    release: a.Release,
    *,
    sigstore: Annotated[bool, typer.Option("--sigstore", help="Sign with Sigstore, when both kinds wait.")] = False,
    gpg: Annotated[bool, typer.Option("--gpg", help="Sign with OpenPGP, when both kinds wait.")] = False,
    files: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The folder with the files, which OpenPGP signs themselves.",
            show_default="they are fetched from the artifact store",
        ),
    ] = None,
    by_hand: Annotated[
        bool, typer.Option("--oob", help="Open no browser: print the address to sign in at, and ask for the code.")
    ] = False,
    token_file: Annotated[
        Path | None,
        typer.Option(
            "--identity-token",
            metavar="FILE",
            help="A file with an identity token for Sigstore, in place of signing in.",
            envvar="BATON_IDENTITY_TOKEN_FILE",
            show_envvar=True,
        ),
    ] = None,
    person: a.Person = None,
    role: a.Role = None,
    reason: a.Reason = "",
    key: a.Key = None,
    unsigned: a.Unsigned = False,
    yes: a.Yes = False,
    signal: a.Signal = False,
    only_print: a.Print = False,
    as_json: a.Json = False,
    sandbox: a.Sandbox = False,
    state: a.State = None,
) -> None:
    """Sign the files of a release as yourself, where its plan says that people sign.

    Shows what is signed and asks. For Sigstore you sign in once in a browser, and the digests are all that comes to
    your machine. OpenPGP needs the files: they are fetched from the artifact store (BATON_STORE), compared with their
    digests and signed by your own gpg. Only signatures leave your machine; they are verified before and after that.

    What an interrupted signing has made is kept, and not made twice.

    Examples:
      baton sign cpython/3.13.9
      baton sign cpython/3.13.9 --gpg --files ~/releases/3.13.9
      baton sign cpython/3.13.9 --sigstore --oob
    """
    from baton.cli.exits import WrongCall
    from baton.cli.place import find_place
    from baton.cli.signing import Wish, sign_release
    from baton.cli.speech import Manner, Speaker

    if sigstore and gpg:
        raise WrongCall("--sigstore and --gpg exclude each other: sign twice")
    kind = "sigstore" if sigstore else "gpg" if gpg else None
    sign_release(
        find_place(sandbox=sandbox, state=state),
        release,
        Wish(kind=kind, files=files, by_hand=by_hand, token_file=token_file),
        Speaker(person, role, reason, key, unsigned),
        Manner(yes=yes, signal=signal, only_print=only_print, as_json=as_json),
    )
