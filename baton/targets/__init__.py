"""Where files go: one port, one file for each kind of place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from baton.model.errors import Refused
from baton.model.plan import DirectoryTarget, SandboxTarget, Target
from baton.targets.directory import DirectoryAdapter
from baton.targets.port import TargetAdapter

if TYPE_CHECKING:
    from baton.settings import WorkerSettings

__all__ = ["TargetAdapter", "open_target", "sandbox_folder"]


def open_target(target: Target, settings: WorkerSettings) -> TargetAdapter:
    """The adapter for a target of the plan, as this worker reaches it.

    Raises:
        Refused: the target is the sandbox's, and this worker is not the sandbox's publishing worker.
    """
    match target:
        case DirectoryTarget():
            return DirectoryAdapter(Path(target.path), target.url)
        case SandboxTarget():
            if settings.public_root is None or settings.public_url is None:
                raise Refused(
                    f"target {target.name} is the sandbox's, and this worker has no BATON_PUBLIC_ROOT and "
                    "BATON_PUBLIC_URL: only the sandbox's own publishing worker may publish there"
                )
            served = sandbox_folder(settings.public_root)
            served.mkdir(parents=True, exist_ok=True)
            return DirectoryAdapter(served, settings.public_url, staging=settings.public_root / "staging")


def sandbox_folder(public_root: Path) -> Path:
    """The folder below ``public_root`` that the sandbox serves; staging lies beside it, where nobody is served."""
    return public_root / "public"
