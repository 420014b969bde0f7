"""The commands by name: each is imported when it is called, so that ``--help`` and completion stay quick."""

import inspect
import re
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


@dataclass(frozen=True)
class Entry:
    """A command: where it stands in the overview, and the function that is it, or the Typer of those that are.

    Attributes:
        family: the heading it is listed under.
        module: has the function, whose name is the command's with ``_`` for ``-`` unless ``function`` says otherwise.
    """

    name: str
    family: str
    summary: str
    module: str
    function: str = ""

    @property
    def present(self) -> bool:
        """Whether this installation has the command."""
        return find_spec(self.module) is not None

    def load(self) -> TyperCommand | TyperGroup:
        """Import the command's module and make the command of its function."""
        function = getattr(import_module(self.module), self.function or self.name.replace("-", "_"))
        if isinstance(function, typer.Typer):
            return typer.main.get_group(function)
        told = inspect.getdoc(function) or self.summary
        single = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
        single.command(self.name, help=help_text(told), epilog=examples(told))(function)
        command = typer.main.get_command(single)
        assert isinstance(command, TyperCommand)  # noqa: S101  # a Typer of one function gives no group
        return command


_LOOK, _ACT, _PREPARE, _SANDBOX = "See what is going on", "Act in a release", "Before a release", "Try it on a laptop"

ENTRIES = (
    Entry("list", _LOOK, "What waits, and for whom.", "baton.cli.commands.look", "list_releases"),
    Entry("status", _LOOK, "Where a release is and what it waits for.", "baton.cli.commands.look"),
    Entry("log", _LOOK, "Who did what in a release, and when.", "baton.cli.commands.look"),
    Entry("ui", _LOOK, "The address of a release in the Temporal Web UI.", "baton.cli.commands.look"),
    Entry("verify", _LOOK, "Verify what was published, as a stranger would.", "baton.cli.verify"),
    Entry("evidence", _LOOK, "The record of a release: get it, verify it.", "baton.cli.commands.evidence"),
    Entry(
        "identities", _LOOK, "Whose signatures count: fetch newer lists, or check one.", "baton.cli.commands.identities"
    ),
    Entry("start", _ACT, "Start a release: shows the plan and asks first.", "baton.cli.commands.act"),
    Entry("sign-off", _ACT, "Agree to what a gate asks about.", "baton.cli.commands.gates"),
    Entry("reject", _ACT, "Object to what a gate asks about.", "baton.cli.commands.gates"),
    Entry("withdraw", _ACT, "Take back your sign-off or rejection.", "baton.cli.commands.gates"),
    Entry("decide", _ACT, "Decide about a step that could not finish.", "baton.cli.commands.act"),
    Entry("provide", _ACT, "Hand in a step's files.", "baton.cli.commands.act"),
    Entry("sign", _ACT, "Sign the files as yourself, where people sign.", "baton.cli.commands.sign"),
    Entry("claim", _ACT, "Say that you are driving a release.", "baton.cli.commands.drive"),
    Entry("hand-off", _ACT, "Pass on a release that you are driving.", "baton.cli.commands.drive"),
    Entry("replan", _ACT, "Have a release follow release.toml as it is now.", "baton.cli.commands.act"),
    Entry("cancel", _ACT, "End a release that is not public yet.", "baton.cli.commands.act"),
    Entry("resign", _ACT, "Give a public release new signatures.", "baton.cli.commands.resign"),
    Entry("security", _ACT, "Ship a fix in several streams at once, with one sign-off.", "baton.cli.commands.security"),
    Entry("check", _PREPARE, "Find what is wrong before a release starts.", "baton.cli.commands.prepare"),
    Entry("plan", _PREPARE, "Show what a release would do.", "baton.cli.commands.prepare"),
    Entry(
        "policy", _PREPARE, "Who signs what: plan a change of it, audit what is public.", "baton.cli.commands.policy"
    ),
    Entry("keys", _PREPARE, "The team's OpenPGP key: make it, change it, publish it.", "baton.cli.commands.keys"),
    Entry("codec", _PREPARE, "Encrypt what passes through Temporal, and read it.", "baton.cli.commands.codec"),
    Entry(
        "import",
        _PREPARE,
        "Take parts of release.toml from where they are kept.",
        "baton.cli.commands.importing",
        "imports",
    ),
    Entry("schema", _PREPARE, "The JSON Schema of release.toml, for editors.", "baton.cli.commands.prepare"),
    Entry("demo", _SANDBOX, "A whole release, end to end, with nothing set up.", "baton.cli.demo"),
    Entry("dev", _SANDBOX, "A whole local world in the foreground.", "baton.cli.dev"),
)
"""Every command, in the order in which the overview lists them."""


class CommandGroup(TyperGroup):
    """``baton`` itself. Until a command is called, a stand-in with its name and summary takes its place."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self._entries = {entry.name: entry for entry in ENTRIES if entry.present}
        for entry in self._entries.values():
            self.add_command(TyperCommand(entry.name, help=entry.summary))

    def resolve_command(
        self, ctx: Any, args: list[str]
    ) -> tuple[str | None, TyperCommand | TyperGroup | None, list[str]]:
        """Find the command that is called, and put the real one in place of its stand-in."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, None if name is None else self._entries[name].load(), rest

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  # the overridden method's signature
        """List the commands under their families' headings."""
        for family in dict.fromkeys(entry.family for entry in self._entries.values()):
            rows = [(entry.name, entry.summary) for entry in self._entries.values() if entry.family == family]
            with formatter.section(family):
                # One column for all families: the first width that every name fits.
                formatter.write_dl([(name.ljust(max(map(len, self._entries))), summary) for name, summary in rows])


_SECTION = re.compile(r"^(Args|Arguments|Raises|Returns|Yields|Example|Examples|Note|Attributes):\s*$", re.MULTILINE)


def help_text(docstring: str) -> str:
    """What a function's docstring tells a person who asks for help: all before its first section."""
    return _SECTION.split(docstring, maxsplit=1)[0].strip()


def examples(docstring: str) -> str | None:
    r"""A docstring's section of examples, marked with ``\b`` so that its lines are kept; None if it has none."""
    sections = _SECTION.split(docstring)
    for title, body in zip(sections[1::2], sections[2::2], strict=True):
        if title in ("Example", "Examples"):
            return f"\b\n{title}:\n" + body.strip("\n").rstrip()
    return None
