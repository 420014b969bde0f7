"""The files of a release, read from the store by reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activities.work import progress
from baton.model.attesting import PROVENANCE_SUFFIX
from baton.model.base import canonical_json
from baton.model.errors import Invalid, Refused
from baton.model.manifest import Artifact, Manifest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from baton.model.base import Digest
    from baton.model.manifest import ManifestRef, SetRef
    from baton.model.work import Signed
    from baton.store import Store


def read_manifest(store: Store, ref: ManifestRef | Digest) -> Manifest:
    """The manifest behind a reference, or of a digest.

    Raises:
        Missing: the store has no such content.
        Invalid: the content is no manifest in canonical JSON.
    """
    digest = ref if isinstance(ref, str) else ref.digest
    content = store.read(digest)
    try:
        manifest = Manifest.model_validate_json(content)
    except ValueError as error:
        raise Invalid(f"{digest} is no manifest: {error}") from error
    if canonical_json(manifest) != content:
        raise Invalid(f"{digest} is a manifest, but not in canonical JSON (RFC 8785)")
    return manifest


def fetch_all(store: Store, files: Sequence[Artifact], folder: Path) -> list[tuple[Artifact, Path]]:
    """Bring files from the store to a folder, each under its name; says how far it is."""
    at_hand = [(file, folder / file.name) for file in files]
    for number, (file, path) in enumerate(at_hand, start=1):
        progress()(f"fetching {file.name}, {number} of {len(at_hand)}")
        store.fetch(file.digest, path)
    return at_hand


def public_files(
    store: Store, ref: ManifestRef, signed: tuple[Signed, ...], attested: SetRef | None = None
) -> list[Artifact]:
    """Everything that becomes public: the manifest's files, their signatures, and how they were made.

    Raises:
        Refused: the signatures or statements are not one for each file, by that file's name. What else came along with
            them, nobody would have agreed to.
        Missing, Invalid: what is referred to is not there, or not what it has to be.
    """
    files = [Artifact(name=f.name, digest=f.digest, size=f.size) for f in read_manifest(store, ref).files]
    beside: list[tuple[str, str, SetRef]] = [
        (f"{made.signer.kind} signatures", made.signer.suffix, made.signatures) for made in signed
    ]
    if attested is not None:
        beside.append(("statements of provenance", PROVENANCE_SUFFIX, attested))
    there = list(files)
    for what, suffix, made_of_them in beside:
        came = store.read_set(made_of_them).artifacts
        wanted = {f"{file.name}{suffix}" for file in files}
        if others := wanted.symmetric_difference(one.name for one in came):
            raise Refused(
                f"the {what} are not one for each of the manifest's files; too many or missing: "
                f"{', '.join(sorted(others)[:10])}"
            )
        there += came
    return sorted(there, key=lambda file: file.name)
