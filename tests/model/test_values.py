from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import TypeAdapter, ValidationError

from baton.model import work
from baton.model.acts import Decision
from baton.model.base import Digest, FileName, canonical_json, digest_of
from baton.model.manifest import PREVIEW_FILES, Artifact, ArtifactSet, Manifest, ManifestFile, ManifestRef, SetRef
from baton.model.plan import GatePoint, Plan
from baton.model.version import ReleaseId, ReleaseKind, Stream, StreamStatus, Version, kind_of
from tests.conftest import CONTRACT, REAL

if TYPE_CHECKING:
    from collections.abc import Callable

DIGEST = "sha256:" + "d" * 64


def file(name: str, size: int = 1) -> ManifestFile:
    return ManifestFile(name=name, digest=DIGEST, size=size, step="source")


def manifest(*names: str) -> Manifest:
    files = tuple(file(name) for name in names)
    return Manifest(project="hello", version="1.0.0", plan=DIGEST, commit="c" * 40, files=files)


@pytest.mark.parametrize(
    ("version", "stream", "holds"),
    [
        ("3.14.1", "3.14", True),
        ("3.14.0rc2", "3.14", True),
        ("3.14.1", "3.1", False),
        ("3.1.4", "3.1", True),
        ("1.0.0", "*", True),
        ("1.0.0", "1", True),
    ],
)
def test_a_version_belongs_to_the_stream_it_begins_with(version: str, stream: str, holds: bool) -> None:
    assert Stream(name=stream, status=StreamStatus.BUGFIX).holds(version) is holds


@pytest.mark.parametrize(
    ("version", "status", "kind"),
    [
        ("3.15.0b1", StreamStatus.PRERELEASE, ReleaseKind.PRERELEASE),
        ("3.14.1", StreamStatus.BUGFIX, ReleaseKind.FINAL),
        ("3.11.16", StreamStatus.SECURITY, ReleaseKind.SECURITY),
    ],
)
def test_the_kind_of_a_release_follows_from_its_version_and_stream(
    version: str, status: StreamStatus, kind: ReleaseKind
) -> None:
    assert kind_of(version, Stream(name="*", status=status)) is kind


@pytest.mark.parametrize("version", ["3.14.01", "v3.14", "3.14.1-rc1", "", "three", "1" * 65])
def test_a_version_has_one_spelling(version: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Version).validate_python(version)


@pytest.mark.parametrize("name", ["", ".hidden", "-rf", "a/b", "a b", "..", "a\\b", "ü.txt", "a\n", "CON:x"])
def test_a_file_name_is_one_portable_path_segment(name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(FileName).validate_python(name)


@pytest.mark.parametrize("digest", ["d" * 64, "sha256:" + "D" * 64, "sha256:" + "d" * 63, "md5:" + "d" * 32])
def test_a_digest_has_one_spelling(digest: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Digest).validate_python(digest)


def test_a_manifest_is_named_by_the_digest_of_its_canonical_json() -> None:
    made = manifest("a", "b")
    assert made.digest == digest_of(canonical_json(made))
    assert Manifest.model_validate_json(canonical_json(made)).digest == made.digest
    assert manifest("a", "c").digest != made.digest


@pytest.mark.parametrize("names", [("b", "a"), ("a", "a"), ()])
def test_a_manifest_lists_files_once_and_in_order(names: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError):
        manifest(*names)


def test_references_do_not_grow_with_the_number_of_files() -> None:
    many = manifest(*(f"file-{number:05}" for number in range(5000)))
    ref = ManifestRef.to(many)
    assert (ref.files, len(ref.preview), ref.total_bytes) == (5000, PREVIEW_FILES, 5000)
    small, large = (
        len(
            canonical_json(
                SetRef.to(ArtifactSet.of([Artifact(name=f"f{n}", digest=DIGEST, size=1) for n in range(count)]))
            )
        )
        for count in (1, 5000)
    )
    assert large - small < 20


def test_a_decision_provides_files_exactly_when_it_says_so() -> None:
    about = {"release": {"project": "hello", "version": "1.0.0"}, "subject": DIGEST}
    base: dict[str, Any] = {
        **about,
        "step": "windows",
        "attempt": 1,
        "run": "r",
        "by": "ada",
        "role": "release-manager",
    }
    with pytest.raises(ValidationError, match="provided"):
        Decision.model_validate({**base, "choice": "provide"})
    with pytest.raises(ValidationError, match="provided"):
        Decision.model_validate({**base, "choice": "retry", "provided": DIGEST})


def test_a_plan_is_named_by_what_it_says(make_plan: Callable[..., Plan]) -> None:
    assert make_plan().digest == make_plan().digest
    assert make_plan(title="Other").digest != make_plan().digest
    assert Plan.model_validate_json(make_plan().model_dump_json(by_alias=True)).digest == make_plan().digest


@pytest.mark.parametrize("part", ["steps", "gates", "targets"])
def test_no_two_parts_of_a_plan_have_one_name(make_plan: Callable[..., Plan], part: str) -> None:
    twice = [json.loads(one.model_dump_json()) for one in getattr(make_plan(), part)] * 2
    with pytest.raises(ValidationError, match=f"there are two {part} called"):
        make_plan(**{part: twice})


@pytest.mark.parametrize("part", ["signers", "targets"])
def test_a_real_plan_cannot_name_what_is_the_sandboxs(make_plan: Callable[..., Plan], part: str) -> None:
    assert not make_plan(**REAL).sandbox
    with pytest.raises(ValidationError, match="a real plan can't name the sandbox's"):
        make_plan(**{name: value for name, value in REAL.items() if name != part})


def test_a_plan_knows_its_queues_and_gates(plan: Plan) -> None:
    assert plan.queues == ("build-source", "build-windows", "publish", "release", "sign")
    assert [gate.name for gate in plan.gates_before(GatePoint.PUBLISH)] == ["publish"]
    assert plan.gates_before(GatePoint.BUILD) == ()


def test_a_release_has_one_workflow_id() -> None:
    assert ReleaseId(project="hello", version="1.0.0").workflow_id == "release/hello/1.0.0"


def test_every_argument_of_an_activity_says_which_release_it_is_for() -> None:
    for item in CONTRACT.values():
        refs = {work.ReleaseRef, work.SecurityRef}
        assert {item.takes.model_fields["release"].annotation} & {*refs, work.ReleaseRef | work.SecurityRef}, item.name


def test_unknown_fields_are_refused_everywhere(plan: Plan) -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Plan.model_validate({**json.loads(plan.model_dump_json(by_alias=True)), "surprise": 1})
