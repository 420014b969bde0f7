"""Where a payload belongs: the namespace and the project that its ciphertext is bound to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from temporalio.converter import ActivitySerializationContext, WorkflowSerializationContext

if TYPE_CHECKING:
    from temporalio.converter import SerializationContext

NO_PROJECT = ""
"""What belongs to a workflow that is no project's."""


@dataclass(frozen=True)
class Scope:
    """A place that payloads belong to.

    Attributes:
        namespace: of Temporal.
        project: the project, :data:`NO_PROJECT`, or None where it can't be known.
    """

    namespace: str
    project: str | None = None

    def inside(self, context: SerializationContext) -> Scope:
        """The scope of what the SDK is about to convert: every workflow of Baton is named ``KIND/PROJECT/…``."""
        if not isinstance(context, ActivitySerializationContext | WorkflowSerializationContext):
            return self
        if context.workflow_id is None:
            return self
        return replace(self, project=project_of(context.workflow_id))


def project_of(workflow_id: str) -> str:
    """The project whose workflow has this id, or :data:`NO_PROJECT`."""
    parts = workflow_id.split("/")
    return parts[1] if len(parts) > 1 else NO_PROJECT
