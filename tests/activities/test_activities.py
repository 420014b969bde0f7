from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from temporalio import activity
from temporalio.testing import ActivityEnvironment

from activities.collecting import CollectActivities
from activities.duties import Duty, activities_for, duty_of
from activities.records import Records
from activities.released import read_manifest
from activities.work import Progress, _failure, _progress, _refuse_other_worlds
from baton.inspection.compare import Different
from baton.model import work
from baton.model.errors import Invalid, Missing, Refused
from baton.model.manifest import Artifact, ArtifactSet, ManifestRef, SetRef
from baton.model.version import ReleaseId
from baton.settings import WorkerSettings
from baton.store import LocalStore, Store
from tests.conftest import CONTRACT

if TYPE_CHECKING:
    from pathlib import Path

    from baton.model.plan import Plan

RELEASE = work.ReleaseRef(
    release=ReleaseId(project="hello", version="1.0.0"), run="run-1", plan="sha256:" + "e" * 64, sandbox=True
)
SOURCE = work.Source(repository="/r", commit="c" * 40, tag="v1.0.0", bundle="sha256:" + "b" * 64, epoch=1)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return LocalStore(tmp_path / "store")


@pytest.fixture
def settings(tmp_path: Path) -> WorkerSettings:
    return WorkerSettings(store=str(tmp_path / "store"), workspace=tmp_path / "work")


@pytest.fixture
def collecting(store: Store, settings: WorkerSettings) -> CollectActivities:
    return CollectActivities(store, settings)


def built(store: Store, step: str, **files: str) -> work.Built:
    made = [
        Artifact(name=name.replace("_", "."), digest=store.put_bytes(text.encode()), size=len(text))
        for name, text in files.items()
    ]
    return work.Built(step=step, commit="c" * 40, artifacts=store.put_set(ArtifactSet.of(made)))


def test_every_piece_of_work_is_done_by_the_workers_of_one_duty(settings: WorkerSettings) -> None:
    offered = [
        activity._Definition.must_from_callable(method).name
        for duty in Duty
        for method in activities_for(duty, settings)
    ]
    assert sorted(name for name in offered if name) == sorted(CONTRACT)


@pytest.mark.parametrize(
    ("queue", "duty"),
    [
        ("sign", Duty.SIGN),
        ("release", Duty.RELEASE),
        ("sign-windows", Duty.SIGN),
        ("build-windows", Duty.BUILD),
        ("signs", Duty.BUILD),
    ],
)
def test_a_queues_name_says_what_its_workers_do(queue: str, duty: Duty) -> None:
    assert duty_of(queue) is duty


def test_rehearsals_and_real_releases_are_kept_apart() -> None:
    _refuse_other_worlds(RELEASE, sandbox=True)
    with pytest.raises(Refused, match=r"hello 1\.0\.0 follows a sandbox plan, but this worker is a real one"):
        _refuse_other_worlds(RELEASE, sandbox=False)
    with pytest.raises(Refused, match="follows a real plan, but this worker is a sandbox one"):
        _refuse_other_worlds(RELEASE.model_copy(update={"sandbox": False}), sandbox=True)


def test_of_two_tries_that_did_the_same_the_first_stands(store: Store) -> None:
    records = Records(store, RELEASE)
    first, second = (work.Undone(detail=text) for text in ("first", "second"))
    assert records.keep("prepared", first) == first
    assert records.keep("prepared", second) == first
    assert records.find("prepared", work.Undone) == first
    records.drop("prepared")
    assert records.find("prepared", work.Undone) is None


def test_a_new_start_of_the_same_version_finds_no_records_of_the_last(store: Store) -> None:
    Records(store, RELEASE).keep("prepared", work.Undone(detail="done"))
    again = Records(store, RELEASE.model_copy(update={"run": "run-2"}))
    assert again.find("prepared", work.Undone) is None
    with pytest.raises(Missing, match="is not recorded"):
        again.require_content("prepared")


@pytest.mark.parametrize("explained", [False, True])
def test_a_rebuild_that_differs_names_the_files_and_both_digests_and_is_reported(
    explained: bool, store: Store, collecting: CollectActivities, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if explained:
        diffoscope = tmp_path / "diffoscope"
        diffoscope.write_text('#!/bin/sh\nfor file; do :; done\necho "diffoscope: $(cat "$file")"\nexit 1\n')
        diffoscope.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    first = built(store, "source", a_txt="same", b_txt="other", c_txt="only here")
    second = built(store, "rebuild", a_txt="same", b_txt="otto")
    token = _progress.set(Progress())
    with pytest.raises(Different) as conflict:
        ActivityEnvironment().run(
            collecting.compare_steps, work.CompareSteps(release=RELEASE, first=first, second=second)
        )
    _progress.reset(token)
    report = store.read(conflict.value.log).decode()
    assert "b.txt: 5 and 4 bytes, different from byte 2 on\n" in report
    assert ("diffoscope: otto" in report) is explained
    assert ("With diffoscope installed" in report) is not explained
    assert _failure(conflict.value, "").details == (conflict.value.log,)
    said = str(conflict.value)
    assert "source and rebuild made different bytes: b.txt is sha256:" in said
    assert "c.txt only from source" in said
    assert "a.txt" not in said
    same = built(store, "rebuild", a_txt="same", b_txt="other", c_txt="only here")
    assert collecting.compare_steps(work.CompareSteps(release=RELEASE, first=first, second=same)).files == 3


def test_what_is_handed_in_has_to_be_in_the_store(store: Store, collecting: CollectActivities, plan: Plan) -> None:
    absent = Artifact(name="hello.exe", digest="sha256:" + "0" * 64, size=1)
    provided = store.put_set(ArtifactSet.of([absent]))
    what = work.ProvidedStep(release=RELEASE, step=plan.steps[1], provided=provided.digest, source=SOURCE)
    with pytest.raises(Missing, match=r"hello\.exe \(sha256:0+\) was handed in for windows, but is not in the store"):
        collecting.take_provided(what)


def test_what_a_step_made_has_to_be_what_the_plan_expects(
    store: Store, collecting: CollectActivities, plan: Plan
) -> None:
    made = built(store, "source", hello_exe="not expected")
    what = work.InspectStep(
        release=RELEASE,
        step=plan.steps[0],
        artifacts=made.artifacts,
        limits=plan.limits,
        commit=made.commit,
        expected=made.commit,
    )
    with pytest.raises(Invalid, match=r"hello\.tar\.gz: is missing: the plan expects it"):
        collecting.inspect_step(what)
    with pytest.raises(Refused, match=r"source was built from commit c{40}; expected d{40}: build it again"):
        collecting.inspect_step(what.model_copy(update={"expected": "d" * 40}))


def test_the_manifest_lists_every_file_with_its_description(store: Store, collecting: CollectActivities) -> None:
    made = built(store, "source", a_txt="a", b_txt="b")
    sboms = collecting.describe_files(work.DescribeFiles(release=RELEASE, built=(made,), source=SOURCE))
    what = work.MakeManifest(release=RELEASE, built=(made,), sboms=sboms, source=SOURCE)
    ref = collecting.make_manifest(what)
    assert collecting.make_manifest(what) == ref
    files = {file.name: file for file in read_manifest(store, ref).files}
    assert sorted(files) == ["a.txt", "a.txt.spdx.json", "b.txt", "b.txt.spdx.json"]
    assert files["a.txt"].sbom == "a.txt.spdx.json"
    assert files["a.txt.spdx.json"].sbom is None


def test_a_document_that_is_no_manifest_is_not_taken_for_one(store: Store) -> None:
    digest = store.put_bytes(b"{}")
    preview = (Artifact(name="a.txt", digest=digest, size=2),)
    with pytest.raises(Invalid, match=f"{digest} is no manifest"):
        read_manifest(store, ManifestRef(digest=digest, files=1, total_bytes=2, preview=preview))
    assert SetRef.to(ArtifactSet.of(list(preview))).files == 1
