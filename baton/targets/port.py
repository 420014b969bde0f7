"""What a place that files go to can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from baton.model.manifest import Artifact
    from baton.model.version import ReleaseId
    from baton.store import Progress, Store
    from baton.targets.renewal import Renewal


class TargetAdapter(ABC):
    """One place. Every act may be done again at any time: done already → nothing happens; done otherwise → Conflict.

    ``files`` are all files of the release under their public names, the same in each act. ``progress`` is told, from
    the calling thread and about once a second, how many bytes have been handled so far; what it raises ends the act.
    """

    @abstractmethod
    def address(self, release: ReleaseId) -> str:
        """Where people find the release once it is public."""

    @abstractmethod
    def stage(
        self, release: ReleaseId, files: Sequence[Artifact], store: Store, *, progress: Progress | None = None
    ) -> None:
        """Bring the files from the store to where nobody sees them; goes on where an earlier attempt ended.

        Raises:
            Conflict: something else is staged or public; nothing is changed then.
            Missing: the store lacks a file, or the place is not there.
            Unavailable: the store or the place can't be reached now.
        """

    @abstractmethod
    def promote(self, release: ReleaseId, files: Sequence[Artifact], *, progress: Progress | None = None) -> str:
        """Make what is staged public, all of it at one moment, after comparing it with the files once more.

        Returns:
            The release's address.

        Raises:
            Conflict: what is staged or public differs; the message names both digests, and nothing is changed.
            Missing: nothing is staged.
        """

    @abstractmethod
    def check_public(self, release: ReleaseId, files: Sequence[Artifact], *, progress: Progress | None = None) -> int:
        """Fetch every file as the public would, and compare it.

        Returns:
            How many files were fetched and found right.

        Raises:
            Conflict: a file differs; the message names it and both digests.
            Unavailable: a file is not to be seen yet, or the server does not answer.
            Failed: the server refuses, or sends people elsewhere.
        """

    @abstractmethod
    def unstage(self, release: ReleaseId) -> bool:
        """Remove what is staged and never what is public.

        Returns:
            Whether anything was staged.
        """

    @abstractmethod
    def find_public(self, release: ReleaseId, names: Iterable[str]) -> list[Artifact]:
        """Those of these files that the release has in public, as the place itself keeps them.

        Raises:
            Failed, Unavailable: the place can't be read.
        """

    @abstractmethod
    def fetch_public(self, release: ReleaseId, name: str, to: Path, *, progress: Progress | None = None) -> None:
        """Fetch one file as the public would, and write it to a file, whatever it holds.

        Raises:
            Unavailable: it is not to be seen, or the server does not answer.
            Failed: the server refuses, or sends people elsewhere.
        """

    @abstractmethod
    def renew(self, release: ReleaseId, renewal: Renewal, store: Store, *, progress: Progress | None = None) -> str:
        """Put fresh signatures beside the release's files, all at one moment; the files stay as they are.

        Returns:
            The release's address.

        Raises:
            Conflict: a file is not what it has to be, or the signatures there are neither those that were there when
                people were asked nor the fresh ones; nothing is changed then.
            Missing: the release is not public there, or the store lacks a signature.
            Unavailable: the store or the place can't be reached now.
        """

    @abstractmethod
    def publish_evidence(
        self,
        release: ReleaseId,
        documents: Sequence[Artifact],
        store: Store,
        *,
        named: str | None = None,
        progress: Progress | None = None,
    ) -> str:
        """Make the record of a release public beside its files, all of it at one moment, and fetch it back.

        Args:
            release: whose record it is.
            documents: every document; a name may lead into one folder (see :class:`baton.model.evidence.Document`).
            store: has them.
            named: what the record is called beside that of the release itself, which is called as its version.
            progress: told the bytes that were fetched back.

        Returns:
            The address of the record's folder, in which ``index.html`` is the page for people.

        Raises:
            Conflict: another record is public; nothing is changed then. Or what the public gets differs.
            Missing: the store lacks a document, or the place is not there.
            Unavailable: the store or the place can't be reached now, or a document is not to be seen yet.
        """
