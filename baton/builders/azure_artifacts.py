"""Taking a step's files out of the artifacts of a run of Azure Pipelines."""

from __future__ import annotations

import re
import shutil
import stat
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from baton.builders.azure_answers import Artifact
from baton.builders.azure_download import download
from baton.inspection.archive import inspect_archive
from baton.model.errors import Failed, Missing, Refused, Unavailable
from baton.model.manifest import ArtifactSet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from baton.builders.azure_api import AzureApi
    from baton.builders.outside import Intake
    from baton.model.base import FileName

_CHECKSUM = re.compile(r"\\?([0-9a-fA-F]{64}) [ *](.+)")
"""A line of sha256sum(1)."""

_SHOWN = 10


@dataclass(frozen=True)
class Wanted:
    """What is taken in.

    Attributes:
        files: the step's files.
        checksums: the name of a file with their digests, of which any artifact may have one, or None.
    """

    files: tuple[FileName, ...]
    checksums: FileName | None


def take_in(api: AzureApi, run: str, names: Iterable[str], wanted: Wanted, intake: Intake) -> ArtifactSet:
    """Download artifacts of a run, find the wanted files in them, and put these into the store.

    Args:
        api: speaks with the project.
        run: the run's address below the project's, such as ``pipelines/21/runs/300``.
        names: the artifacts that are looked into.
        wanted: what is looked for; it is in whatever folder.
        intake: where to.

    Raises:
        Failed: a file is not there, or there twice.
        Missing: an artifact is not there, or not any more.
        Refused: an artifact is not safe to open, or a file is not the one that the checksums say.
        Unavailable: a download broke off.
        Stopped: the caller wished it.
    """
    with tempfile.TemporaryDirectory(dir=intake.scratch, prefix="azure-", ignore_cleanup_errors=True) as own:
        shelf = _Shelf(Path(own), wanted, intake)
        for place in (shelf.files, shelf.sums):
            place.mkdir()
        for name in names:
            shelf.add(_fetch(api, run, name, Path(own), intake), name)
        return shelf.store()


def _fetch(api: AzureApi, run: str, name: str, folder: Path, intake: Intake) -> Path:
    what = f"the artifact {name!r}"
    try:
        found = api.get(f"{run}/artifacts", Artifact, artifactName=name, expand="signedContent")
    except Missing as error:
        raise Missing(
            f"the run has no artifact {name!r}, or not any more: look at the run which ones it published. {error}"
        ) from None
    if found.signed_content is None:
        raise Missing(f"Azure DevOps gives no address to download {what} from: it is no pipeline artifact")
    path = folder / "artifact.zip"
    path.unlink(missing_ok=True)
    download(found.signed_content.url, path, what, intake)
    return path


@dataclass(frozen=True)
class _Shelf:
    """The wanted files that were found, in a folder."""

    folder: Path
    wanted: Wanted
    intake: Intake

    def add(self, archive: Path, artifact: str) -> None:
        """Take the wanted files out of an artifact."""
        self._require_safe(archive, artifact)
        with zipfile.ZipFile(archive) as content:
            for at, member in enumerate(content.infolist()):
                name = PurePosixPath(member.filename).name
                if member.is_dir():
                    continue
                if name == self.wanted.checksums:
                    _unpack(content, member, self.sums / f"{artifact}-{at}")
                if name not in self.wanted.files:
                    continue
                if (self.files / name).exists():
                    raise Failed(
                        f"{name} is there twice, the second time as {member.filename} in the artifact {artifact!r}; "
                        "expected it once in the artifacts that the plan names"
                    )
                self.intake.progress(f"takes in {name}")
                _unpack(content, member, self.files / name)

    def store(self) -> ArtifactSet:
        """Check that everything is there and right, and put the step's files into the store."""
        missing = [name for name in self.wanted.files if not (self.files / name).exists()]
        if missing:
            more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
            raise Failed(
                f"the run's artifacts do not hold {', '.join(missing[:_SHOWN])}{more}: correct the pipeline, or the "
                "step's `files` and `artifacts`"
            )
        artifacts = ArtifactSet.of([self.intake.store.put_file(self.files / name) for name in self.wanted.files])
        if self.wanted.checksums is not None:
            self._require_checksums(artifacts, self.wanted.checksums)
        return artifacts

    @property
    def files(self) -> Path:
        """Where the step's files go."""
        return self.folder / "files"

    @property
    def sums(self) -> Path:
        """Where the lists of digests go."""
        return self.folder / "sums"

    def _require_safe(self, archive: Path, artifact: str) -> None:
        if not zipfile.is_zipfile(archive):
            raise Unavailable(
                f"the artifact {artifact!r} came as {archive.stat().st_size} bytes that are no whole zip file"
            )
        self.intake.progress(f"looks into the artifact {artifact!r}")
        if findings := inspect_archive(archive, self.intake.limits):
            raise Refused(f"the artifact {artifact!r} is not safe to open: {findings[0]}")

    def _require_checksums(self, artifacts: ArtifactSet, checksums: FileName) -> None:
        said: dict[str, set[str]] = {}
        for path in self.sums.iterdir():
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                if found := _CHECKSUM.fullmatch(line.strip()):
                    said.setdefault(PurePosixPath(found[2].replace("\\", "/")).name, set()).add(found[1].lower())
        for artifact in artifacts.artifacts:
            if said.get(artifact.name) != {artifact.sha256}:
                raise Refused(
                    f"{artifact.name} has the digest {artifact.digest}; {checksums} of the same run says "
                    f"{' and '.join(sorted(said.get(artifact.name, {'nothing'})))}"
                )


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, to: Path) -> None:
    if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
        raise Refused(f"{member.filename} is a link, or no file; expected a regular file")
    with archive.open(member) as source, to.open("xb") as file:
        shutil.copyfileobj(source, file)
