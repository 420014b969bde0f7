"""A folder of small documents, some of them in folders of their own, made public by one rename."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from baton.model.errors import Conflict
from baton.store.files import digest_of_file, sync_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from baton.model.manifest import Artifact
    from baton.store import Store


def lay_out(documents: Sequence[Artifact], public: Path, store: Store, *, staging: Path) -> None:
    """Write documents into a folder of their own, and rename it to where it is public.

    When somebody else has been first, what is public stays.

    Args:
        documents: what to write; a name may lead into a folder.
        public: where it becomes public; it is not there yet.
        store: has the documents.
        staging: a folder on the same filesystem that is not public.

    Raises:
        OSError: it can't be written.
        BatonError: as :meth:`baton.store.Store.fetch`.
    """
    made = Path(mkdtemp(dir=staging, prefix=".evidence-"))
    try:
        for document in documents:
            path = made / document.name
            path.parent.mkdir(exist_ok=True)
            store.fetch(document.digest, path)
            path.chmod(0o444)
        for folder in (made, *(path for path in made.iterdir() if path.is_dir())):
            folder.chmod(0o755)
            sync_folder(folder)
        public.parent.mkdir(parents=True, exist_ok=True)
        public.parent.chmod(0o755)
        # rename(2) replaces nothing but an empty folder, so that whoever comes second changes nothing.
        with suppress(FileExistsError):
            _rename(made, public)
        sync_folder(public.parent)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def require_laid_out(public: Path, documents: Sequence[Artifact]) -> None:
    """Require that a folder holds these documents and nothing else.

    Raises:
        Conflict: it does not; the message names what differs.
        Missing: it is not there.
    """
    expected = {document.name: document.digest for document in documents}
    found = {
        path.relative_to(public).as_posix(): digest_of_file(path)[0]
        for path in sorted(public.rglob("*"))
        if path.is_symlink() or not path.is_dir()
    }
    if differing := sorted(name for name, _ in expected.items() ^ found.items()):
        named = ", ".join(dict.fromkeys(differing[:10]))
        raise Conflict(
            f"{public} is public with another record of the release; differing: {named}. What is public stays as it "
            "is: find out who published it"
        )


def _rename(made: Path, public: Path) -> None:
    """Rename a folder; a folder that is not empty is in the way with an error that not every system names alike."""
    try:
        made.rename(public)
    except OSError as error:
        if public.is_dir():
            raise FileExistsError(*error.args) from error
        raise
