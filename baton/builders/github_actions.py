"""Builds by a GitHub Actions workflow: start a run, follow it, run it again or stop it, and take in what it made."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from baton.builders.credential import NoCredential
from baton.builders.github_api import GitHubApi
from baton.builders.github_collect import collect
from baton.builders.github_report import report_of
from baton.builders.outside import SETTLE, OutsideBuilder, Unusable
from baton.model.errors import Failed, Missing, Refused, Unavailable
from baton.model.outside import OutsideRun, RunReport, RunState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from baton.builders.github_answers import WorkflowRun
    from baton.builders.outside import Intake
    from baton.model.base import FileName
    from baton.model.outside import Collected, GitHubBuilder, OutsideOrder

_SKEW = timedelta(minutes=10)
"""By how much the clocks of the two sides may differ."""

_NEW = timedelta(minutes=5)
"""How long a run that was just started may be unknown to parts of GitHub."""

_INPUTS = 65_535
"""Characters that all inputs of a dispatch may have together.

https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#workflow_dispatch
"""

_SOON = 10
"""Seconds until a look when something must show any moment."""


class GitHubActions(OutsideBuilder):
    """Carries out a :class:`~baton.model.outside.GitHubBuilder`, as the port says."""

    def __init__(self, builder: GitHubBuilder) -> None:
        """Take note of the plan's part; the credential is read when there is something to ask."""
        self._builder = builder
        self._api = GitHubApi(builder)

    def dispatch(self, order: OutsideOrder, *, more_inputs: Mapping[str, str] = MappingProxyType({})) -> OutsideRun:
        """Start the run, or find the one that this order started already.

        Args:
            order: what is wanted.
            more_inputs: beside those of the plan, given as they are.
        """
        begun = time.monotonic()
        if (found := self._find(order)) is not None:
            return found
        ref = order.fill(self._builder.ref)
        self._require_head(ref, order)
        if time.monotonic() - begun > SETTLE:
            raise Unavailable("GitHub is so slow that a run could be started twice: nothing was started", after=SETTLE)
        filled = {name: order.fill(template) for name, template in self._builder.inputs.items()}
        inputs = {**filled, **more_inputs}
        _require_short(inputs, self._builder)
        try:
            answer = self._api.dispatch(self._builder.workflow, ref, inputs)
        except Unavailable as error:
            raise Unavailable(
                f"{error}; the next try looks first whether the run was started", after=max(SETTLE, error.after or 0)
            ) from None
        if answer is None:
            raise Unavailable(
                f"GitHub started the run {order.key} without saying its id; the next try finds it", after=SETTLE
            )
        return _run(order, str(answer.workflow_run_id), answer.html_url, attempt=1)

    def look(self, run: OutsideRun) -> RunReport:
        """Where the run is; for a waiting one, with the address where people approve."""
        now = self._proven(run)
        if now.run_attempt < run.attempt:
            line = f"attempt {run.attempt} of run {run.id} has been asked for and has not begun"
            return RunReport(state=RunState.QUEUED, line=line, url=run.url, attempt=run.attempt, look_again=_SOON)
        jobs = self._api.jobs(run.id)
        pending = (
            self._api.pending(run.id) if any(job.status == "waiting" for job in jobs) or now.status == "waiting" else []
        )
        return report_of(now, jobs, pending)

    def retry_failed(self, run: OutsideRun) -> OutsideRun:
        """Run again only what failed; gives the run with its next attempt."""
        now = self._proven(run)
        if now.run_attempt > run.attempt:
            return run.model_copy(update={"attempt": now.run_attempt})
        if now.status != "completed" or now.run_attempt < run.attempt:
            raise Refused(f"run {run.id} has not ended, so nothing of it can be run again yet: see {run.url}")
        if now.conclusion == "success":
            raise Refused(f"nothing of run {run.id} failed, so nothing can be run again: see {run.url}")
        try:
            self._api.rerun_failed(run.id)
        except Unavailable as error:
            raise Unavailable(str(error), after=max(SETTLE, error.after or 0)) from None
        return run.model_copy(update={"attempt": now.run_attempt + 1})

    def cancel(self, run: OutsideRun) -> None:
        """Stop the run; harmless if it has ended, or is being stopped."""
        if self._api.cancel(run.id) or self._api.run(run.id).status == "completed":
            return
        # GitHub's documentation has this for a run that does not respond to being cancelled.
        if self._api.cancel(run.id, force=True) or self._api.run(run.id).status == "completed":
            return
        raise Unavailable(f"run {run.id} can't be stopped just now: see {run.url}", after=_SOON)

    def collect(self, run: OutsideRun, files: tuple[FileName, ...], intake: Intake) -> Collected:
        """Take in the files of a run that has ended, checked against what GitHub says of them, and its log."""
        now = self._proven(run)
        if now.status != "completed" or now.run_attempt < run.attempt:
            raise Unavailable(f"run {run.id} has not ended: see {run.url}", after=_SOON)
        return collect(self._builder, self._api, run=run, now=now, files=files, intake=intake)

    def _find(self, order: OutsideOrder) -> OutsideRun | None:
        runs = self._api.dispatched_since(self._builder.workflow, (order.asked - _SKEW).astimezone(UTC))
        found = {run.id: run for run in runs if _shows(run.display_title, order.key)}
        if len(found) > 1:
            raise Failed(
                f"{len(found)} runs carry the key {order.key}, expected one at most: "
                f"{', '.join(sorted(run.html_url for run in found.values()))}; look why, and cancel them"
            )
        return next((_run(order, str(run.id), run.html_url, run.run_attempt) for run in found.values()), None)

    def _require_head(self, ref: str, order: OutsideOrder) -> None:
        """Refuse to start what would build another commit."""
        if self._builder.proof != "head-sha":
            return
        head = self._api.commit_of(ref)
        if head != order.commit:
            raise Refused(
                f"{ref} of {self._builder.repository} is on commit {head}; expected {order.commit}: "
                "nothing was started; let a branch or tag be on the release's commit, or let `ref` name the release's "
                "own branch, baton/PROJECT-VERSION, which is made for that"
            )

    def _proven(self, run: OutsideRun) -> WorkflowRun:
        """The run as it is now, if it is the order's and builds the order's commit."""
        now = self._get(run)
        if not _shows(now.display_title, run.key):
            raise Unusable(
                f"run {run.id} is called {now.display_title!r}, without the key {run.key} that it was given, so it "
                f"could not be found again: let `run-name` of {self._builder.workflow} show the input with the key, "
                f"and cancel {run.url}"
            )
        if self._builder.proof == "head-sha" and now.head_sha != run.commit:
            raise Unusable(f"run {run.id} builds commit {now.head_sha}; expected {run.commit}: cancel {run.url}")
        if self._builder.proof == "run-name" and not _shows(now.display_title, run.commit):
            raise Unusable(
                f"run {run.id} is called {now.display_title!r}, which does not show the commit {run.commit} that it "
                f"has to build: let `run-name` of {self._builder.workflow} show the input with the commit"
            )
        return now

    def _get(self, run: OutsideRun) -> WorkflowRun:
        try:
            return self._api.run(run.id)
        except NoCredential:
            raise
        except Missing as error:
            if datetime.now(UTC) - run.dispatched < _NEW:
                raise Unavailable(f"{error}; it was started just now", after=_SOON) from None
            raise


def _require_short(inputs: Mapping[str, str], builder: GitHubBuilder) -> None:
    # As JSON, and in characters of it: how GitHub counts is not documented, so the larger of what it could mean.
    length = len(json.dumps(dict(inputs)))
    if length > _INPUTS:
        longest = max(inputs, key=lambda name: len(inputs[name]))
        raise Refused(
            f"the inputs of {builder.workflow} have {length:,} characters, {len(inputs[longest]):,} of them in "
            f"{longest}; GitHub takes {_INPUTS:,} in all, and nothing was started. A release of so many files is "
            "signed by a machine with an identity of its own, or by a person"
        )


def _run(order: OutsideOrder, run: str, url: str, attempt: int) -> OutsideRun:
    return OutsideRun(
        key=order.key, commit=order.commit, id=run, url=url, attempt=attempt, dispatched=datetime.now(UTC)
    )


def _shows(title: str, word: str) -> bool:
    """Whether a run's name has the word in it, and not as a part of a longer one."""
    return re.search(rf"(?<![A-Za-z0-9._-]){re.escape(word)}(?![A-Za-z0-9._-])", title) is not None
