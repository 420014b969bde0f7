"""The page of the evidence that a person opens: static, without script, and with nothing from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from baton.evidence.commands import commands_for
from baton.model.base import short
from baton.model.signing import own_signers
from baton.model.status import StepState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from baton.model.acts import Heard
    from baton.model.evidence import Record
    from baton.model.manifest import Manifest
    from baton.model.plan import Plan
    from baton.model.security import JointManifest
    from baton.model.status import StepStatus

_MANY_BYTES = 10_000
_TEMPLATE = "page.html.jinja"

_OWN = "evidence"
"""How the names of those units of work begin that make this very page."""

_STAGES = (("Signed", "sign-"), ("Staged", "stage-"), ("Public", "promote-"), ("Fetched back", "public-"))
"""What happens to all files together, and how the names of the units begin that do it."""


@dataclass(frozen=True)
class _Stage:
    """How far all files are with something that is done to them together."""

    title: str
    state: str


def page(
    record: Record,
    plan: Plan,
    manifest: Manifest | None,
    chain: Sequence[Heard],
    joint: JointManifest | None = None,
) -> bytes:
    """The page; everything that comes from elsewhere is escaped in it.

    Args:
        record: what the release tells of itself.
        plan: what it followed.
        manifest: its files, once they are listed.
        chain: every act that it heard.
        joint: what it shipped together with the other streams of a security release.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(moment=_moment, size=_size, short=short, link=_link)
    template = environment.get_template(_TEMPLATE)
    text = template.render(
        record=record,
        plan=plan,
        joint=joint,
        gates=record.gates if record.joint is None else (*record.gates, record.joint),
        files=() if manifest is None else manifest.files,
        chain=chain,
        steps=[step for step in record.steps if not step.name.startswith(_OWN)],
        stages=[
            _Stage(title, _state([s for s in record.steps if s.name.startswith(start)])) for title, start in _STAGES
        ],
        built={built.step: built for built in record.built},
        decisions=_decisions(chain),
        people={person.id: person.name for person in plan.roster.people},
        commands={file.name: commands_for(file, plan) for file in (() if manifest is None else manifest.files)},
        list_signed=bool(own_signers(plan.signers)),
        unsigned=sum(heard.accepted and heard.proof is None for heard in chain),
    )
    return text.encode()


def _decisions(chain: Sequence[Heard]) -> dict[str, list[Heard]]:
    """What people decided, by what it is about: ``step windows``."""
    found: dict[str, list[Heard]] = {}
    for heard in chain:
        if heard.accepted and heard.kind == "decide":
            found.setdefault(heard.about, []).append(heard)
    return found


def _state(units: Sequence[StepStatus]) -> str:
    states = {unit.state for unit in units}
    if states == {StepState.DONE}:
        return StepState.DONE
    for state in (StepState.NEEDS_DECISION, StepState.RUNNING):
        if state in states:
            return state
    return StepState.PENDING


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _size(size: int) -> str:
    """A size in bytes in words."""
    return f"{size:,} bytes" if size < _MANY_BYTES else f"{size / 1_000_000:,.2f} MB"


def _link(address: str) -> str:
    """An address that may be followed, or nothing: what a build system names as its page could be a script too."""
    return address if address.startswith(("https://", "http://")) else ""
