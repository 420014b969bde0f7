from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from activities.platform import NotaryActivities
from baton.builders.port import FailedWithLog
from baton.model.base import digest_of
from baton.model.code_signing import Notarization, PlatformStep
from baton.model.errors import Failed, Invalid, Missing, Refused, Unavailable
from baton.model.manifest import Artifact, ArtifactSet
from baton.model.platform import AwaitNotarization, Submission, SubmitNotarization, Submitted
from baton.model.work import Built, ReleaseRef
from baton.platform import notary as notary_module
from baton.platform.notary_api import NotaryApi
from baton.sandbox.fake_notary import FakeNotary, fake_notary
from baton.sandbox.fake_notary_submission import MALWARE, Fault, Team

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baton.settings import WorkerSettings
    from baton.store import Store
    from tests.platform.conftest import Working

ISSUER, KEY_ID = "57246542-96fe-1a63-e053-0824d011072a", "2X9R4HXF34"


@pytest.fixture(scope="module")
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def _service(key: ec.EllipticCurvePrivateKey) -> Iterator[FakeNotary]:
    with fake_notary(Team(ISSUER, KEY_ID, key.public_key())) as service:
        yield service


@pytest.fixture
def service(_service: FakeNotary) -> FakeNotary:
    _service.forget()
    return _service


@pytest.fixture
def step(service: FakeNotary, key: ec.EllipticCurvePrivateKey, monkeypatch: pytest.MonkeyPatch) -> PlatformStep:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    monkeypatch.setenv("NOTARY_KEY", pem)
    # What a worker whose store is in a bucket has in its environment.
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "the-stores")
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    signing = Notarization(issuer=ISSUER, key_id=KEY_ID, key_from="NOTARY_KEY", api=service.url, upload=service.storage)
    return PlatformStep(name="notarized", of="macos", signing=signing, files=("hello.pkg",), queue="sign-macos")


class Notarizing:
    """Submits and waits as the release does, each time as a worker that has just been started."""

    def __init__(
        self, step: PlatformStep, store: Store, settings: WorkerSettings, release: ReleaseRef, working: Working
    ) -> None:
        self.step, self._store, self._release, self._working = step, store, release, working
        self.room = NotaryActivities(store, settings, lambda *_: None, look_every=0.01)
        self.built = self.make(b"a package")

    def make(self, content: bytes) -> Built:
        file = Artifact(name="hello.pkg", digest=self._store.put_bytes(content), size=len(content))
        return Built(step="macos", commit="c" * 40, artifacts=self._store.put_set(ArtifactSet.of([file])))

    def submit(self, built: Built | None = None, *, attempt: int = 1, run: str = "run-1") -> Submitted:
        release = self._release.model_copy(update={"run": run})
        what = SubmitNotarization(release=release, step=self.step, built=built or self.built, gates=(), attempt=attempt)
        return self._working(self.room.submit_notarization, what)

    def wait(self, submitted: Submitted) -> list[dict[str, object]]:
        what = AwaitNotarization(release=self._release, step=self.step, submitted=submitted, gates=())
        done = self._working(self.room.await_notarization, what)
        return [json.loads(self._store.read(log)) for log in done.logs]


@pytest.fixture
def notarizing(
    step: PlatformStep, store: Store, settings: WorkerSettings, release: ReleaseRef, working: Working
) -> Notarizing:
    return Notarizing(step, store, settings, release, working)


def test_a_package_is_submitted_judged_and_its_log_kept(service: FakeNotary, notarizing: Notarizing) -> None:
    submitted = notarizing.submit()
    (log,) = notarizing.wait(submitted)
    assert (log["status"], log["sha256"]) == ("Accepted", digest_of(b"a package").removeprefix("sha256:"))
    assert service.submissions[0].content == b"a package"
    assert service.submissions[0].name == f"{log['sha256']}-hello.pkg"


def test_submitting_again_submits_nothing(service: FakeNotary, notarizing: Notarizing) -> None:
    service.add(Fault.HELD)
    assert notarizing.submit() == notarizing.submit()
    assert (len(service.submissions), service.uploads) == (1, 1)


def test_what_was_accepted_for_another_run_is_not_submitted_again(service: FakeNotary, notarizing: Notarizing) -> None:
    assert notarizing.submit() == notarizing.submit(run="run-2") == notarizing.submit(attempt=2)
    assert (len(service.submissions), service.uploads) == (1, 1)


def test_a_lost_answer_leaves_an_empty_submission_behind_and_the_file_is_uploaded_once(
    service: FakeNotary, notarizing: Notarizing
) -> None:
    service.add(Fault.ANSWER_LOST)
    with pytest.raises(Unavailable, match="answers 500; UNEXPECTED_ERROR"):
        notarizing.submit()
    notarizing.wait(notarizing.submit())
    assert [submission.content for submission in service.submissions] == [None, b"a package"]
    assert service.uploads == 1


def test_after_an_upload_whose_end_is_not_known_the_verdict_tells_that_it_arrived(
    service: FakeNotary, notarizing: Notarizing
) -> None:
    service.add(Fault.HELD)
    service.add(Fault.UPLOAD_LOST)
    with pytest.raises(Unavailable, match=r"hello\.pkg could not be uploaded"):
        notarizing.submit()
    with pytest.raises(Unavailable, match="it is not known whether it ended"):
        notarizing.submit()
    service.release()
    notarizing.wait(notarizing.submit())
    assert (len(service.submissions), service.uploads) == (1, 1)


def test_an_upload_that_broke_off_is_made_anew_when_no_verdict_comes(
    service: FakeNotary, notarizing: Notarizing, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.add(Fault.UPLOAD_REFUSED)
    with pytest.raises(Unavailable, match="could not be uploaded"):
        notarizing.submit()
    monkeypatch.setattr(notary_module, "SETTLE", timedelta(0))
    notarizing.wait(notarizing.submit())
    assert [submission.content for submission in service.submissions] == [None, b"a package"]


def test_what_is_refused_names_the_issues_and_keeps_the_log(
    service: FakeNotary, notarizing: Notarizing, store: Store
) -> None:
    submitted = notarizing.submit(notarizing.make(b"bad: " + MALWARE))
    with pytest.raises(
        FailedWithLog, match=r"hello\.pkg: Invalid; .*The binary is not signed\.; submission "
    ) as failed:
        notarizing.wait(submitted)
    assert json.loads(store.read(failed.value.log))["jobId"] == service.submissions[0].id


def test_a_person_may_have_what_was_refused_judged_again(service: FakeNotary, notarizing: Notarizing) -> None:
    bad = notarizing.make(MALWARE)
    assert notarizing.submit(bad) == notarizing.submit(bad)
    assert notarizing.submit(bad, attempt=2) != notarizing.submit(bad)
    assert service.uploads == 2


def test_waiting_goes_on_through_outages_a_long_queue_and_a_late_log(
    service: FakeNotary, notarizing: Notarizing, working: Working
) -> None:
    service.add(Fault.HELD)
    submitted = notarizing.submit()
    service.add(Fault.LOG_LATE)

    def go_on(line: str) -> None:
        if "is with the notary service" in line:
            service.release()

    working.told = go_on
    assert notarizing.wait(submitted)[0]["status"] == "Accepted"
    assert service.asked["status"] >= 3


def test_a_verdict_on_another_file_does_not_count(service: FakeNotary, notarizing: Notarizing) -> None:
    submitted = notarizing.submit()
    service.submissions[0].content = b"another package"
    with pytest.raises(Refused, match=r"the notary service accepted sha256:.* expected sha256:"):
        notarizing.wait(submitted)


@pytest.mark.parametrize(
    ("fault", "error", "said"),
    [
        (Fault.UNAUTHORIZED, Refused, "answers 401.*look whether key, key id and issuer belong together"),
        (Fault.AGREEMENT, Refused, "answers 403; FORBIDDEN.REQUIRED_AGREEMENTS.*the account holder has an agreement"),
        (Fault.BROKEN, Unavailable, "answers 503"),
        (Fault.GARBLED, Invalid, "answers what is not understood"),
    ],
)
def test_every_problem_is_of_the_right_kind_and_nothing_is_submitted_twice(
    fault: Fault, error: type[Exception], said: str, service: FakeNotary, notarizing: Notarizing
) -> None:
    service.add(fault)
    with pytest.raises(error, match=said) as problem:
        notarizing.submit()
    assert getattr(problem.value, "after", None) == (7 if fault is Fault.BROKEN else None)
    notarizing.submit()
    assert (len(service.submissions), service.uploads) == (1, 1)


def test_a_key_that_is_revoked_while_it_waits_is_put_before_a_person(
    service: FakeNotary, notarizing: Notarizing
) -> None:
    submitted = notarizing.submit()
    service.add(Fault.UNAUTHORIZED)
    with pytest.raises(Refused, match="answers 401"):
        notarizing.wait(submitted)


def test_a_service_that_is_not_there_is_a_matter_of_time(notarizing: Notarizing, step: PlatformStep) -> None:
    away = step.signing.model_copy(update={"api": "http://127.0.0.1:9/notary/v2"})
    notarizing.step = step.model_copy(update={"signing": away})
    with pytest.raises(Unavailable, match=r"the connection failed \(ConnectError\)"):
        notarizing.submit()


@pytest.mark.parametrize("value", ["no key", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----"])
def test_a_key_that_is_none_is_not_repeated(
    value: str, notarizing: Notarizing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTARY_KEY", value)
    with pytest.raises(Invalid, match="NOTARY_KEY does not hold an EC private key") as problem:
        notarizing.submit()
    assert problem.value.__cause__ is None
    assert value not in str(problem.value)


def test_a_worker_without_the_key_says_so(notarizing: Notarizing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTARY_KEY")
    with pytest.raises(Missing, match="neither NOTARY_KEY nor NOTARY_KEY_FILE"):
        notarizing.submit()


def test_nothing_is_submitted_before_people_agreed(
    service: FakeNotary, notarizing: Notarizing, store: Store, settings: WorkerSettings
) -> None:
    def nobody(*_: object) -> None:
        raise Refused("gate start has not been opened")

    notarizing.room = NotaryActivities(store, settings, nobody)
    with pytest.raises(Refused, match="has not been opened"):
        notarizing.submit()
    assert not service.submissions
    submission = Submission(id="4711", name="hello.pkg", digest="sha256:" + "0" * 64)
    with pytest.raises(Refused, match="has not been opened"):
        notarizing.wait(Submitted(submissions=(submission,)))


def test_an_unknown_submission_is_missing(step: PlatformStep) -> None:
    assert isinstance(step.signing, Notarization)
    with pytest.raises(Missing, match="answers 404; NOT_FOUND"):
        NotaryApi(step.signing).status("2efe2717-52ef-43a5-96dc-0797e4ca1041")


def test_a_refusal_without_words_is_told_by_its_number(service: FakeNotary, step: PlatformStep) -> None:
    assert isinstance(step.signing, Notarization)
    with pytest.raises(Failed, match="answers 400; PARAMETER_ERROR"):
        NotaryApi(step.signing).open("", "")
    assert not service.submissions
