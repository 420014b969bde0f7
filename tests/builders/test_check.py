from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from baton.builders.check import run_check
from baton.builders.port import FailedWithLog
from baton.model.base import canonical_json, digest_of
from baton.model.building import Check
from baton.model.errors import Invalid, Missing
from baton.model.manifest import Manifest, ManifestFile, ManifestRef
from baton.model.version import ReleaseId
from baton.model.work import Checked, ReleaseRef, RunCheck

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from baton.builders.workspace import Workspace
    from baton.model.work import Source
    from baton.store import Store

COMPARE = "import os, pathlib; folder = pathlib.Path(os.environ['BATON_ARTIFACTS']); "


@pytest.fixture
def manifest(store: Store, source: Source) -> ManifestRef:
    digest = store.put_bytes(b"released")
    manifest = Manifest(
        project="hello",
        version="1.0.0",
        plan=digest_of(b"plan"),
        commit=source.commit,
        files=(ManifestFile(name="hello.txt", digest=digest, size=8, step="build-it"),),
    )
    store.put_bytes(canonical_json(manifest))
    return ManifestRef.to(manifest)


@pytest.fixture
def check(workspace: Workspace, source: Source, manifest: ManifestRef, caller: Any) -> Callable[..., Checked]:
    def check(script: str, manifest: ManifestRef = manifest) -> Checked:
        release = ReleaseRef(
            release=ReleaseId(project="hello", version="1.0.0"), run="run-1", plan=digest_of(b"plan"), sandbox=True
        )
        own = Check(name="look", commands=(("python", "-c", script),), queue="build")
        return run_check(
            RunCheck(release=release, check=own, source=source, manifest=manifest, attempt=1),
            workspace,
            progress=caller.progress,
            cancelled=caller.cancelled,
        )

    return check


def test_it_sees_the_source_and_every_released_file(check: Callable[..., Checked], store: Store) -> None:
    checked = check(COMPARE + "print(open('README').read(), [(p.name, p.read_text()) for p in folder.iterdir()])")

    assert b"hello\n [('hello.txt', 'released')]" in store.read(checked.log)


def test_a_check_that_does_not_pass_says_why(check: Callable[..., Checked], store: Store) -> None:
    with pytest.raises(FailedWithLog, match=r"failed with exit code 1.*\n.*no wheel") as failure:
        check(COMPARE + "raise SystemExit('no wheel')")

    assert b"no wheel" in store.read(failure.value.log)


def test_content_that_the_store_lost_is_missing(check: Callable[..., Checked], store: Store, source: Source) -> None:
    lost = Manifest(
        project="hello",
        version="1.0.0",
        plan=digest_of(b"plan"),
        commit=source.commit,
        files=(ManifestFile(name="hello.txt", digest=digest_of(b"lost"), size=4, step="build-it"),),
    )
    store.put_bytes(canonical_json(lost))

    with pytest.raises(Missing, match=digest_of(b"lost")):
        check("pass", ManifestRef.to(lost))


def test_what_is_no_manifest_is_refused(check: Callable[..., Checked], store: Store, manifest: ManifestRef) -> None:
    with pytest.raises(Invalid, match="is no manifest"):
        check("pass", manifest.model_copy(update={"digest": store.put_bytes(b"{}")}))
