"""Where a release is made from, as its project says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.model.plan import SourcePlan
from baton.project.builder_parts import command
from baton.project.template import expand

if TYPE_CHECKING:
    from baton.project.read import Project


def source_of(project: Project, version: str, commit: str) -> SourcePlan:
    """Where a real release of this version is made from.

    Raises:
        ValidationError: with this version in it, the tag is none.
    """
    own = project.settings.project
    return SourcePlan(
        repository=project.repository,
        commit=commit,
        tag=expand(own.tag, version),
        prepare=tuple(command(template, version) for template in own.prepare),
    )


def while_private(project: Project, source: SourcePlan) -> SourcePlan:
    """The same source, from where a security release's fixes are before they are public, if there is such a place."""
    table = project.settings.security
    if table is None or table.repository is None:
        return source
    return source.model_copy(update={"repository": project.address_of(table.repository), "push_to": source.repository})
