from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from activities.platform import PlatformSignActivities, PlatformVerifyActivities
from baton.model.base import digest_of
from baton.model.code_signing import MAX_NOTARIZED, Authenticode, Notarization, PlatformStep
from baton.model.errors import Invalid, Missing, Refused
from baton.model.manifest import Artifact, ArtifactSet
from baton.model.platform import Notarized, SignPlatform, Staple, Submission, VerifyAuthenticode
from baton.model.work import Built
from tests.platform.conftest import portable_executable

if TYPE_CHECKING:
    from baton.model.work import ReleaseRef
    from baton.settings import WorkerSettings
    from baton.store import Store
    from tests.platform.conftest import StandIn, Timestamps, Working

NOTARIZATION = Notarization(issuer="57246542-96fe-1a63-e053-0824d011072a", key_id="2X9R4HXF34", key_from="NOTARY_KEY")


def made(store: Store, step: str, **files: bytes) -> Built:
    artifacts = [
        Artifact(name=name.replace("_", "."), digest=store.put_bytes(content), size=len(content))
        for name, content in files.items()
    ]
    return Built(step=step, commit="c" * 40, artifacts=store.put_set(ArtifactSet.of(artifacts)), builder="a machine")


class Windows:
    """The signing worker and the one that verifies."""

    def __init__(
        self, step: PlatformStep, store: Store, settings: WorkerSettings, release: ReleaseRef, working: Working
    ) -> None:
        self.step, self.store, self.release, self._working = step, store, release, working
        self.signing = PlatformSignActivities(store, settings, lambda *_: None)
        self._verifying = PlatformVerifyActivities(store, settings)
        self.built = made(store, "windows", hello_exe=portable_executable(), readme_txt=b"read me")

    def sign(self, built: Built | None = None) -> Built:
        what = SignPlatform(release=self.release, step=self.step, built=built or self.built, gates=())
        return self._working(self.signing.sign_platform, what)

    def verify(self, signed: Built) -> int:
        what = VerifyAuthenticode(release=self.release, step=self.step, unsigned=self.built, signed=signed)
        return self._working(self._verifying.verify_authenticode, what).files

    def staple(self, what: Staple) -> Built:
        return self._working(self.signing.staple, what)

    def file(self, built: Built, name: str) -> Artifact | None:
        return self.store.read_set(built.artifacts).find(name)


@pytest.fixture
def windows(
    step: PlatformStep, store: Store, settings: WorkerSettings, release: ReleaseRef, working: Working
) -> Windows:
    return Windows(step, store, settings, release, working)


def test_the_named_files_are_signed_and_the_others_go_through(windows: Windows) -> None:
    signed = windows.sign()
    assert (signed.step, signed.commit, signed.builder) == ("windows-signed", "c" * 40, "a machine")
    assert windows.file(signed, "readme.txt") == windows.file(windows.built, "readme.txt")
    assert windows.file(signed, "hello.exe") != windows.file(windows.built, "hello.exe")
    assert windows.verify(signed) == 1


def test_signing_the_same_bytes_again_gives_the_same_signed_file(windows: Windows, timestamps: Timestamps) -> None:
    assert windows.sign() == windows.sign()
    assert timestamps.asked == 1


def test_what_was_signed_is_not_signed_again(windows: Windows) -> None:
    signed = windows.sign().model_copy(update={"step": "windows"})
    with pytest.raises(Refused, match=r"hello\.exe carries an Authenticode signature already"):
        windows.sign(signed)


def test_what_does_not_verify_is_not_kept(windows: Windows, timestamps: Timestamps) -> None:
    signing = windows.step.signing
    assert isinstance(signing, Authenticode)
    other = signing.signer.model_copy(update={"subject": "CN=Somebody"})
    right, wrong = windows.step, signing.model_copy(update={"signer": other})
    windows.step = right.model_copy(update={"signing": wrong})
    for _ in range(2):
        with pytest.raises(Refused, match=r"has to be signed by 'CN=Somebody'"):
            windows.sign()
    assert timestamps.asked == 2
    windows.step = right
    assert windows.verify(windows.sign()) == 1


def test_a_program_of_any_length_is_signed(windows: Windows) -> None:
    windows.built = made(windows.store, "windows", hello_exe=portable_executable() + b"odd")
    assert windows.verify(windows.sign()) == 1


def test_the_files_have_to_be_those_of_the_step(windows: Windows) -> None:
    with pytest.raises(Invalid, match="windows-signed is about the files of windows; it got those of macos"):
        windows.sign(windows.built.model_copy(update={"step": "macos"}))
    with pytest.raises(Missing, match=r"windows made no hello\.exe"):
        windows.sign(made(windows.store, "windows", other_exe=portable_executable()))


def test_nothing_is_signed_before_people_agreed(
    windows: Windows, store: Store, settings: WorkerSettings, timestamps: Timestamps
) -> None:
    def nobody(*_: object) -> None:
        raise Refused("gate start has not been opened")

    windows.signing = PlatformSignActivities(store, settings, nobody)
    with pytest.raises(Refused, match="has not been opened"):
        windows.sign()
    assert timestamps.asked == 0


def test_a_verifying_worker_believes_no_signing_worker(windows: Windows) -> None:
    unsigned = windows.built.model_copy(update={"step": "windows-signed"})
    with pytest.raises(Refused, match=r"hello\.exe carries no Authenticode signature"):
        windows.verify(unsigned)
    evil = made(windows.store, "windows", hello_exe=portable_executable(b"evil"), readme_txt=b"read me")
    with pytest.raises(Refused, match="is not what was built"):
        windows.verify(windows.sign(evil))
    more = made(windows.store, "windows", hello_exe=portable_executable(), readme_txt=b"read this")
    with pytest.raises(Refused, match="gives other files than it got"):
        windows.verify(windows.sign(more))
    with pytest.raises(Refused, match=r"lost hello\.exe"):
        windows.verify(made(windows.store, "windows-signed", readme_txt=b"read me"))


@pytest.fixture
def notarized() -> PlatformStep:
    return PlatformStep(
        name="notarized", of="macos", signing=NOTARIZATION, files=("a.pkg", "b.zip"), queue="sign-macos"
    )


def verdict(**contents: bytes) -> Notarized:
    submissions = [
        Submission(id=f"id-{number}", name=name.replace("_", "."), digest=digest_of(content))
        for number, (name, content) in enumerate(contents.items())
    ]
    return Notarized(submissions=tuple(submissions), logs=())


def test_a_ticket_is_stapled_once_to_what_has_a_place_for_it(
    notarized: PlatformStep, windows: Windows, release: ReleaseRef, stand_in: StandIn
) -> None:
    stand_in("xcrun", 'test "$2" = validate || printf " and a ticket" >>"$4"')
    built = made(windows.store, "macos", a_pkg=b"a", b_zip=b"b")
    what = Staple(release=release, step=notarized, built=built, notarized=verdict(a_pkg=b"a", b_zip=b"b"))
    stapled = windows.staple(what)
    assert windows.file(stapled, "b.zip") == windows.file(built, "b.zip")
    ticketed = windows.file(stapled, "a.pkg")
    assert ticketed is not None
    assert windows.store.read(ticketed.digest) == b"a and a ticket"
    stand_in("xcrun", "exit 1")
    assert windows.staple(what) == stapled


@pytest.mark.parametrize(
    ("judged", "problem"),
    [
        ({"a_pkg": b"a"}, r"b\.zip was not notarized"),
        ({"a_pkg": b"other", "b_zip": b"b"}, r"a\.pkg was notarized as sha256:"),
        ({"a_pkg": b"a", "b_zip": b"b", "c_pkg": b"c"}, r"c\.pkg was notarized as sha256:"),
    ],
)
def test_tickets_are_for_the_very_files_that_were_accepted(
    judged: dict[str, bytes], problem: str, notarized: PlatformStep, windows: Windows, stand_in: StandIn
) -> None:
    stand_in("xcrun", "exit 0")
    built = made(windows.store, "macos", a_pkg=b"a", b_zip=b"b")
    with pytest.raises(Refused, match=problem):
        windows.staple(Staple(release=windows.release, step=notarized, built=built, notarized=verdict(**judged)))


def test_a_plan_says_how_many_files_may_be_notarized() -> None:
    files = tuple(f"{number}.pkg" for number in range(MAX_NOTARIZED + 1))
    with pytest.raises(ValueError, match="21 files are to be notarized; expected 20 at most"):
        PlatformStep(name="notarized", of="macos", signing=NOTARIZATION, files=files, queue="sign-macos")
