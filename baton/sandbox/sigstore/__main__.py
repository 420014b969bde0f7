"""``python -m baton.sandbox.sigstore``: runs an instance in the foreground until it is told to stop."""
# Annotations are evaluated as they stand: Typer reads them.

import signal
from pathlib import Path
from typing import Annotated, Final

import typer

from baton.model.errors import BatonError
from baton.sandbox.sigstore import SANDBOX_MARKER
from baton.sandbox.sigstore.files import replace
from baton.sandbox.sigstore.machines import Machines
from baton.sandbox.sigstore.server import local_sigstore

_STOP_SIGNALS: Final = frozenset({signal.SIGINT, signal.SIGTERM})

_WARNING: Final = (
    f"{SANDBOX_MARKER}. This Sigstore instance has no security: it gives a certificate for any identity to whoever "
    "reaches its port. Never trust it for a real release."
)


def main(
    state: Annotated[Path, typer.Option(help="Folder for keys, logs and secrets; made if it is not there.")],
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.", min=0, max=65535)] = 0,
    ready_file: Annotated[Path | None, typer.Option(help="Write the URL to this file when ready.")] = None,
    machine: Annotated[
        list[str] | None, typer.Option(help="Let a machine of this name ask for tokens; may be repeated.")
    ] = None,
    person: Annotated[
        str | None, typer.Option(help="E-mail address of who signs in without being asked; else a page asks.")
    ] = None,
) -> None:
    """Run a local Sigstore instance for development and tests; it has no security whatever.

    When it is ready it prints one line that ends in its URL, and STATE/trust_config.json is what clients need:
    python -m sigstore --trust-config STATE/trust_config.json … It stops on SIGTERM or SIGINT, with exit status 0.
    """
    # Blocked before any thread starts, so that every thread inherits it and only sigwait below receives them.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    typer.echo(_WARNING, err=True)
    try:
        with local_sigstore(state, port=port, person=person) as sigstore:
            for name in machine or ():
                typer.echo(f"secret of machine {name}: {Machines(state).register(name)}", err=True)
            if ready_file is not None:
                replace(ready_file, f"{sigstore.url}\n".encode())
            typer.echo(f"sandbox Sigstore ready: {sigstore.url}")
            signal.sigwait(_STOP_SIGNALS)
    except (BatonError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error


if __name__ == "__main__":
    typer.run(main)
