"""Commands that act: starting a release, agreeing, deciding, ending it."""

# ruff: noqa: PLC0415  # why: the package's docstring
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from baton.cli import arguments as a


def start(
    version: a.NewVersion,
    *,
    project: a.Project = Path(),
    commit: a.Commit = None,
    person: a.Person = None,
    yes: a.Yes = False,
    as_json: a.Json = False,
    sandbox: a.Sandbox = False,
    state: a.State = None,
) -> None:
    """Start a release: shows the plan, asks, and starts it.

    The same release can't run twice: a second start is refused with exit code 4 and the address of the first. One
    that was cancelled may be started again.

    Examples:
      baton start 3.14.1 --commit v3.14-branch
      baton start 1.0.0 -C examples/hello --as ada --yes
    """
    from baton.cli.planning import Wish
    from baton.cli.starting import start_release

    wish = Wish(folder=project, version=version, commit=commit, person=person)
    start_release(wish, sandbox=sandbox, state=state, yes=yes, as_json=as_json)


def sign_off(
    release: a.Release,
    gate: Annotated[str, typer.Argument(metavar="GATE", help="The gate, as `baton status` names it.")],
    *,
    person: a.Person = None,
    role: a.Role = None,
    reason: a.Reason = "",
    yes: a.Yes = False,
    signal: a.Signal = False,
    subject: Annotated[
        str | None, typer.Option(metavar="DIGEST", help="Agree to this plan or manifest and to no other.")
    ] = None,
    attempt: Annotated[int, typer.Option(metavar="N", min=1, help="The gate's attempt, while no worker is up.")] = 1,
    only_print: a.Print = False,
    as_json: a.Json = False,
    sandbox: a.Sandbox = False,
    state: a.State = None,
) -> None:
    """Agree to what a gate asks about.

    Shows what you agree to, the digest of the plan or of the manifest with its files, and asks before it sends your
    sign-off, which counts for exactly that digest.

    While no worker is up, `--signal --subject DIGEST` leaves a sign-off for later. It counts only if that digest is
    what the gate asks about.

    Examples:
      baton sign-off hello/1.0.0 publish
      baton sign-off hello/1.0.0 publish --as ada --role release-manager --yes
      baton sign-off hello/1.0.0 publish --print > message.json
      temporal workflow signal -w release/hello/1.0.0 --name sign_off --input-file message.json
    """
    from baton.cli.agreement import agree
    from baton.cli.place import find_place
    from baton.cli.speech import Manner, Speaker

    agree(
        find_place(sandbox=sandbox, state=state),
        release,
        gate,
        Speaker(person, role, reason),
        Manner(yes=yes, signal=signal, only_print=only_print, as_json=as_json),
        subject=subject,
        attempt=attempt,
    )


class _Choice(StrEnum):
    """The model's own words, without the model: it is slow to import, and help and completion need only these."""

    RETRY = "retry"
    SKIP = "skip"
    ABORT = "abort"
    PROVIDE = "provide"


def decide(
    release: a.Release,
    step: Annotated[str, typer.Argument(metavar="STEP", help="The step, as `baton status` names it.")],
    choice: Annotated[
        _Choice,
        typer.Argument(
            metavar="CHOICE",
            help="Try again; go on without it; end the release; or take the files given here in its place.",
        ),
    ],
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE", help="With provide: exactly the step's files.")
    ] = None,
    *,
    person: a.Person = None,
    role: a.Role = None,
    reason: a.Reason = "",
    yes: a.Yes = False,
    signal: a.Signal = False,
    only_print: a.Print = False,
    as_json: a.Json = False,
    sandbox: a.Sandbox = False,
    state: a.State = None,
) -> None:
    """Decide about a step that could not finish.

    A retry is sent at once; everything else is asked about first. Files that are provided go into the artifact
    store, so BATON_STORE has to name the one that the workers use.

    Examples:
      baton decide hello/1.0.0 windows retry
      baton decide hello/1.0.0 docs skip --reason "known to be broken, published later"
      baton decide hello/1.0.0 windows provide hello-1.0.0.exe
    """
    from baton.cli.deciding import decide_about
    from baton.cli.place import find_place
    from baton.cli.speech import Manner, Speaker
    from baton.model.acts import Choice

    decide_about(
        find_place(sandbox=sandbox, state=state),
        release,
        step,
        choice=Choice(choice.value),
        files=files or (),
        speaker=Speaker(person, role, reason),
        manner=Manner(yes=yes, signal=signal, only_print=only_print, as_json=as_json),
    )


def cancel(
    release: a.Release,
    *,
    person: a.Person = None,
    role: a.Role = None,
    reason: a.Reason = "",
    yes: a.Yes = False,
    signal: a.Signal = False,
    only_print: a.Print = False,
    as_json: a.Json = False,
    sandbox: a.Sandbox = False,
    state: a.State = None,
) -> None:
    """End a release that is not public yet, and undo what it did.

    What is public is never touched: a release that is going public is finished instead. A release that was ended may
    be started again.

    Examples:
      baton cancel hello/1.0.0 --reason "wrong commit"
    """
    from baton.cli.ending import end_release
    from baton.cli.place import find_place
    from baton.cli.speech import Manner, Speaker

    end_release(
        find_place(sandbox=sandbox, state=state),
        release,
        Speaker(person, role, reason),
        Manner(yes=yes, signal=signal, only_print=only_print, as_json=as_json),
    )
