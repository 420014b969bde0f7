"""The files that a person agrees to are compared with the manifest in the store, whatever the release tells of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from baton.cli.listed_files import listed_in_store
from baton.cli.place import Place
from baton.model.base import canonical_json
from baton.model.errors import Refused
from baton.model.manifest import Manifest, ManifestRef
from baton.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from baton.model.plan import Plan
    from baton.store import Store


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("BATON_STORE", str(tmp_path / "store"))
    return open_store(str(tmp_path / "store"))


def manifest_of(plan: Plan) -> Manifest:
    file = {"name": "hello.tar.gz", "digest": "sha256:" + "d" * 64, "size": 5, "step": "source"}
    return Manifest.model_validate(
        {"project": "hello", "version": "1.0.0", "plan": plan.digest, "commit": "c" * 40, "files": [file]}
    )


def test_the_same_list_is_told_apart_from_none(plan: Plan, store: Store) -> None:
    manifest = manifest_of(plan)

    unknown = listed_in_store(Place(), plan, ManifestRef.to(manifest))
    store.put_bytes(canonical_json(manifest))

    assert not unknown
    assert listed_in_store(Place(), plan, ManifestRef.to(manifest))


def test_another_list_under_the_digest_is_refused(plan: Plan, store: Store) -> None:
    manifest = manifest_of(plan)
    store.put_bytes(canonical_json(manifest))
    (file,) = ManifestRef.to(manifest).preview
    harmless = file.model_copy(update={"digest": "sha256:" + "0" * 64})

    with pytest.raises(Refused, match="tells of other files than manifest"):
        listed_in_store(Place(), plan, ManifestRef.to(manifest).model_copy(update={"preview": (harmless,)}))


def test_another_plans_manifest_and_what_is_none_are_refused(
    make_plan: Callable[..., Plan], plan: Plan, store: Store
) -> None:
    manifest = manifest_of(make_plan(title="Another"))
    store.put_bytes(canonical_json(manifest))
    words = store.put_bytes(b"no manifest")

    with pytest.raises(Refused, match="follows plan"):
        listed_in_store(Place(), plan, ManifestRef.to(manifest))
    with pytest.raises(Refused, match="is no manifest"):
        listed_in_store(Place(), plan, ManifestRef.to(manifest).model_copy(update={"digest": words}))
