"""Commands that act: starting a release, deciding about its steps, planning it anew, ending it."""

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
    despite_embargo: Annotated[
        bool,
        typer.Option(
            "--despite-embargo",
            help="Start it though it tells, before an embargo has ended, what other streams mend.",
        ),
    ] = False,
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
    start_release(wish, sandbox=sandbox, state=state, yes=yes, as_json=as_json, despite_embargo=despite_embargo)


class _Choice(StrEnum):
    """The model's own words, without the model: it is slow to import, and help and completion need only these."""

    RETRY = "retry"
    SKIP = "skip"
    ABORT = "abort"
    PROVIDE = "provide"


def decide(
    release: a.Release,
    step: a.Step,
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
    key: a.Key = None,
    unsigned: a.Unsigned = False,
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
        speaker=Speaker(person, role, reason, key, unsigned),
        manner=Manner(yes=yes, signal=signal, only_print=only_print, as_json=as_json),
    )


def provide(
    release: a.Release,
    step: a.Step,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Exactly the step's files.")],
    *,
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
    """Hand in the files of a step that is made by hand, or that could not finish.

    They go into the artifact store, so BATON_STORE has to name the one that the workers use; what you sign names
    their digest. They are inspected like built ones. It takes the step's own role.

    Examples:
      baton provide hello/1.0.0 macos hello-1.0.0.pkg
      baton provide hello/1.0.0 macos dist/* --as katherine
    """
    from baton.cli.deciding import decide_about
    from baton.cli.place import find_place
    from baton.cli.speech import Manner, Speaker
    from baton.model.acts import Choice

    decide_about(
        find_place(sandbox=sandbox, state=state),
        release,
        step,
        choice=Choice.PROVIDE,
        files=files,
        speaker=Speaker(person, role, reason, key, unsigned),
        manner=Manner(yes=yes, signal=signal, only_print=only_print, as_json=as_json),
    )


def replan(
    release: a.Release,
    *,
    project: a.Project = Path(),
    commit: Annotated[
        str | None,
        typer.Option(metavar="REF", help="Another commit, branch or tag to release.", show_default="the same commit"),
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
    """Have a release under way follow what release.toml says now: it begins again from the source.

    Shows every difference between the two plans, asks, puts the new one into the artifact store (BATON_STORE) and
    signs its digest. What people agreed to before is void, and stays on the record.

    Examples:
      baton replan hello/1.0.0 --reason "the Windows builder has moved"
      baton replan hello/1.0.0 --commit v1.0-branch -C ../hello
    """
    from baton.cli.place import find_place
    from baton.cli.replanning import plan_anew
    from baton.cli.speech import Manner, Speaker

    plan_anew(
        find_place(sandbox=sandbox, state=state),
        release,
        project,
        Speaker(person, role, reason, key, unsigned),
        Manner(yes=yes, signal=signal, only_print=only_print, as_json=as_json),
        commit=commit,
    )


def cancel(
    release: a.Release,
    *,
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
        Speaker(person, role, reason, key, unsigned),
        Manner(yes=yes, signal=signal, only_print=only_print, as_json=as_json),
    )
