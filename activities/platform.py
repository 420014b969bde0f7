"""Signing as the platforms want it, between a build and the manifest; and Apple's notary service."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from temporalio import activity

from activities.makings import MakingRecords
from activities.records import Records
from activities.work import does, progress
from baton.builders.port import FailedWithLog
from baton.model import platform, work
from baton.model.attesting import Reworking
from baton.model.base import canonical_json, digest_of, short
from baton.model.code_signing import Authenticode, Notarization, PlatformStep
from baton.model.errors import Invalid, Missing, Refused, Unavailable
from baton.model.manifest import Artifact, ArtifactSet
from baton.platform import apple, authenticode, open_tool
from baton.platform.notary import judge, submit_once
from baton.platform.notary_api import NotaryApi

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baton.platform.notary import Verdict
    from baton.settings import WorkerSettings
    from baton.store import Store

Agreed = Callable[[platform.SignPlatform | platform.SubmitNotarization | platform.AwaitNotarization], None]
"""Raises :class:`~baton.model.errors.Refused` unless people agreed to the plan, and the step is the plan's.

The worker proves it for itself; nothing is made of any key before.
"""

LOOK_EVERY = 15.0
"""Seconds between two questions to the notary service; a verdict takes some minutes."""


class _Room:
    """What all have in common: the store, a place for files, and the step's files."""

    def __init__(self, store: Store, settings: WorkerSettings) -> None:
        self._store = store
        self._workspace = settings.workspace

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        self._workspace.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self._workspace, prefix="platform-") as folder:
            yield Path(folder)

    def _wanted(self, step: PlatformStep, built: work.Built) -> list[Artifact]:
        """The files that the step is about.

        Raises:
            Invalid: these are the files of another step.
            Missing: one of them is not there.
        """
        if built.step != step.of:
            raise Invalid(f"{step.name} is about the files of {step.of}; it got those of {built.step}")
        made = self._store.read_set(built.artifacts)
        found = [made.find(name) for name in step.files]
        missing = [name for name, file in zip(step.files, found, strict=True) if file is None]
        if missing:
            raise Missing(f"{step.of} made no {', '.join(missing)}, which {step.name} is about")
        return [file for file in found if file is not None]

    def _with(self, what: platform.SignPlatform | platform.Staple, changed: dict[str, Artifact]) -> work.Built:
        """What the step before made, with some files replaced, as what this step made; that is put on record."""
        step, built = what.step, what.built
        files = [changed.get(file.name, file) for file in self._store.read_set(built.artifacts).artifacts]
        made = self._store.put_set(ArtifactSet.of(files))
        reworking = Reworking(step=step, of=built.artifacts.digest, artifacts=made.digest)
        MakingRecords(self._store, what.release).keep_reworking(reworking)
        return built.model_copy(update={"step": step.name, "artifacts": made})


class PlatformSignActivities(_Room):
    """What a worker does that has a platform's tools and keys.

    Args:
        store: where files are.
        settings: the worker's.
        agreed: proves what people agreed to.
    """

    def __init__(self, store: Store, settings: WorkerSettings, agreed: Agreed) -> None:
        super().__init__(store, settings)
        self._agreed = agreed

    @does(platform.SIGN_PLATFORM)
    def sign_platform(self, what: platform.SignPlatform) -> work.Built:
        """Sign each file once: what was signed of the same bytes before is what this gives again."""
        self._agreed(what)
        signing = what.step.signing
        if isinstance(signing, Notarization):
            raise Invalid(f"{what.step.name} is a notarization, which is submitted and awaited, not signed")
        records, tool, signed = Records(self._store, what.release), open_tool(signing), {}
        for file in self._wanted(what.step, what.built):
            name = f"platform/{what.step.name}/{short(digest_of(canonical_json(signing)))}/{file.sha256}"
            done = records.find(name, Artifact)
            if done is None:
                with self._folder() as folder:
                    unsigned, made = folder / "unsigned" / file.name, folder / "signed" / file.name
                    unsigned.parent.mkdir()
                    made.parent.mkdir()
                    self._store.fetch(file.digest, unsigned)
                    progress()(f"signing {file.name}")
                    tool.sign(unsigned, made)
                    tool.verify(unsigned, made)
                    done = records.keep(name, self._store.put_file(made))
            signed[file.name] = done
        return self._with(what, signed)

    @does(platform.STAPLE)
    def staple(self, what: platform.Staple) -> work.Built:
        """Staple each ticket once, to the files that have a place for one."""
        records, stapled = Records(self._store, what.release), {}
        wanted = {file.name: file for file in self._wanted(what.step, what.built)}
        for submission in what.notarized.submissions:
            file = wanted.pop(submission.name, None)
            if file is None or file.digest != submission.digest:
                raise Refused(
                    f"{submission.name} was notarized as {submission.digest}; expected {file and file.digest}"
                )
            if not file.name.endswith(apple.STAPLED):
                continue
            name = f"stapled/{what.step.name}/{file.sha256}"
            done = records.find(name, Artifact)
            if done is None:
                with self._folder() as folder:
                    self._store.fetch(file.digest, folder / file.name)
                    progress()(f"stapling {file.name}")
                    apple.staple(folder / file.name)
                    done = records.keep(name, self._store.put_file(folder / file.name))
            stapled[file.name] = done
        if wanted:
            raise Refused(f"{', '.join(sorted(wanted))} was not notarized, so there is no ticket for it")
        return self._with(what, stapled)


class NotaryActivities(_Room):
    """What a worker does that has the key for Apple's notary service.

    Args:
        store: where files are.
        settings: the worker's.
        agreed: proves what people agreed to.
        look_every: seconds between two questions.
    """

    def __init__(
        self, store: Store, settings: WorkerSettings, agreed: Agreed, *, look_every: float = LOOK_EVERY
    ) -> None:
        super().__init__(store, settings)
        self._agreed = agreed
        self._look_every = look_every

    @does(platform.SUBMIT_NOTARIZATION)
    def submit_notarization(self, what: platform.SubmitNotarization) -> platform.Submitted:
        """See to it that the service has each file; what it got or accepted before it does not get again."""
        self._agreed(what)
        notarization = _notarization(what.step)
        api, records, submissions = NotaryApi(notarization), Records(self._store, what.release), []
        for file in self._wanted(what.step, what.built):
            with self._folder() as folder:
                self._store.fetch(file.digest, folder / file.name)
                progress()(f"submitting {file.name}")
                place = f"notary/{what.step.name}/{what.attempt}/{file.sha256}"
                submissions.append(
                    submit_once(
                        file, folder / file.name, notarization=notarization, api=api, memory=records, place=place
                    )
                )
        return platform.Submitted(submissions=tuple(submissions))

    @does(platform.AWAIT_NOTARIZATION)
    def await_notarization(self, what: platform.AwaitNotarization) -> platform.Notarized:
        """Ask until every file is judged. It changes nothing, so it may be done again at any time."""
        self._agreed(what)
        api, logs = NotaryApi(_notarization(what.step)), []
        for submission in what.submitted.submissions:
            verdict = self._verdict(api, submission)
            log = self._store.put_bytes(verdict.log)
            if not verdict.accepted:
                raise FailedWithLog(f"the notary service does not accept {verdict.line}", log=log)
            logs.append(log)
        return platform.Notarized(submissions=what.submitted.submissions, logs=tuple(logs))

    def _verdict(self, api: NotaryApi, submission: platform.Submission) -> Verdict:
        say, begun = progress(), time.monotonic()
        while True:
            pause, waiting = self._look_every, f"{submission.name} is with the notary service as {submission.id}"
            try:
                verdict = judge(submission, api)
            except Unavailable as error:
                verdict, waiting, pause = None, str(error), max(pause, error.after or 0)
            if verdict is not None:
                return verdict
            say(f"{waiting}, for {time.monotonic() - begun:.0f} s")
            self._rest(pause, submission)

    def _rest(self, seconds: float, submission: platform.Submission) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if activity.is_cancelled():
                raise Unavailable(f"waiting for {submission.id} was stopped; the notary service goes on with it")
            time.sleep(min(left, 1.0))


class PlatformVerifyActivities(_Room):
    """Verifying what another worker signed, on a worker that holds no key and runs on Linux."""

    @does(platform.VERIFY_AUTHENTICODE)
    def verify_authenticode(self, what: platform.VerifyAuthenticode) -> platform.CodeVerified:
        """Require the right signature over what was built on every file, and that no other file changed."""
        signing = what.step.signing
        if not isinstance(signing, Authenticode) or what.signed.step != what.step.name:
            raise Invalid(f"{what.step.name} is no Authenticode step whose outcome this is")
        wanted = self._wanted(what.step, what.unsigned)
        after = self._store.read_set(what.signed.artifacts)
        self._require_others_alike(what, after)
        with self._folder() as folder:
            (folder / "unsigned").mkdir()
            (folder / "signed").mkdir()
            for file in wanted:
                signed = after.find(file.name)
                if signed is None:
                    raise Refused(f"{what.step.name} lost {file.name}")
                unsigned_path, signed_path = folder / "unsigned" / file.name, folder / "signed" / file.name
                progress()(f"verifying {file.name}")
                self._store.fetch(file.digest, unsigned_path)
                self._store.fetch(signed.digest, signed_path)
                authenticode.verify(unsigned_path, signed_path, signing.signer)
        return platform.CodeVerified(files=len(wanted))

    def _require_others_alike(self, what: platform.VerifyAuthenticode, after: ArtifactSet) -> None:
        before = self._store.read_set(what.unsigned.artifacts)
        others = [[file for file in of.artifacts if file.name not in what.step.files] for of in (before, after)]
        if others[0] != others[1]:
            raise Refused(f"{what.step.name} gives other files than it got, beyond those that it was to sign")


def _notarization(step: PlatformStep) -> Notarization:
    if not isinstance(step.signing, Notarization):
        raise Invalid(f"{step.name} is no notarization")
    return step.signing
