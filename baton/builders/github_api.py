"""GitHub's REST API for Actions, as far as building needs it. See https://docs.github.com/rest/actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, urlencode

import httpx
from pydantic import ValidationError

from baton.builders.github_answers import (
    Answer,
    Dispatched,
    Job,
    Jobs,
    PendingDeployment,
    StoredArtifact,
    StoredArtifacts,
    WorkflowRun,
    WorkflowRuns,
)
from baton.builders.github_auth import credentials_of
from baton.builders.github_http import Reply, fetched, problem_of
from baton.model.errors import Failed, Invalid, Missing, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from baton.model.outside import GitHubBuilder

_PER_PAGE = 100
_PAGES = 10
"""GitHub lists no more than a thousand runs of one search."""

Page = TypeVar("Page", bound=Answer)


class GitHubApi:
    """The calls of one repository; errors are those of an :class:`~baton.builders.outside.OutsideBuilder`."""

    def __init__(self, builder: GitHubBuilder) -> None:
        self._base = f"{builder.api}/repos/{builder.repository}"
        self._version = builder.api_version
        self._credentials = credentials_of(builder)

    def dispatch(self, workflow: str, ref: str, inputs: Mapping[str, str]) -> Dispatched | None:
        """Start a run; None if the answer does not say which, as in older API versions."""
        reply = self._call("POST", f"/actions/workflows/{workflow}/dispatches", {"ref": ref, "inputs": dict(inputs)})
        try:
            return Dispatched.model_validate_json(reply.body)
        except ValidationError:
            return None

    def dispatched_since(self, workflow: str, since: datetime) -> Iterator[WorkflowRun]:
        """Every run of a workflow that was dispatched since then.

        Raises:
            Failed: there are more than GitHub lists.
        """
        query = {"event": "workflow_dispatch", "created": f">={since:%Y-%m-%dT%H:%M:%SZ}"}
        for page in self._pages(WorkflowRuns, f"/actions/workflows/{workflow}/runs", query):
            yield from page.workflow_runs

    def commit_of(self, ref: str) -> str:
        """The commit that a branch or tag is on."""
        path = f"/commits/{quote(ref, safe='')}"
        return self._call("GET", path, accept="application/vnd.github.sha").body.decode("ascii", "replace").strip()

    def run(self, run: str) -> WorkflowRun:
        """One run."""
        return _read(WorkflowRun, self._call("GET", f"/actions/runs/{run}"))

    def jobs(self, run: str) -> list[Job]:
        """The jobs of a run's latest attempt."""
        return [
            job for page in self._pages(Jobs, f"/actions/runs/{run}/jobs", {"filter": "latest"}) for job in page.jobs
        ]

    def artifacts(self, run: str) -> list[StoredArtifact]:
        """The artifacts of all attempts of a run."""
        pages = self._pages(StoredArtifacts, f"/actions/runs/{run}/artifacts", {})
        return [artifact for page in pages for artifact in page.artifacts]

    def pending(self, run: str) -> list[PendingDeployment]:
        """What a waiting run waits for; nothing if the credential may not know."""
        try:
            reply = self._call("GET", f"/actions/runs/{run}/pending_deployments")
        except (Missing, Refused):
            return []
        return list(_read(_Pending, reply).entries)

    def rerun_failed(self, run: str) -> None:
        """Run the failed jobs of a run again, and those that need them."""
        self._call("POST", f"/actions/runs/{run}/rerun-failed-jobs")

    def cancel(self, run: str, *, force: bool = False) -> bool:
        """Ask for a run to be stopped; False if it can't be just now.

        Args:
            run: which.
            force: whatever the run wants to do when it is cancelled.
        """
        how = "force-cancel" if force else "cancel"
        reply = self._call("POST", f"/actions/runs/{run}/{how}", expected=(httpx.codes.CONFLICT,))
        return reply.status != httpx.codes.CONFLICT

    def download_address(self, artifact: int) -> str:
        """Where an artifact can be downloaded for a minute, without a credential; the address is a secret.

        Raises:
            Missing: GitHub does not keep it any more.
        """
        return self._redirect(f"/actions/artifacts/{artifact}/zip")

    def log_address(self, job: int) -> str:
        """Where a job's log can be downloaded, in the same manner."""
        return self._redirect(f"/actions/jobs/{job}/logs")

    def _redirect(self, path: str) -> str:
        reply = self._call("GET", path, expected=(httpx.codes.FOUND,))
        address: str = reply.headers.get("location", "")
        url = httpx.URL(self._base).join(address) if _is_address(address) else None
        if reply.status != httpx.codes.FOUND or url is None:
            raise Failed(f"{reply.where}: expected a redirect to a download, GitHub answers {reply.status}")
        if url.scheme != "https" and httpx.URL(self._base).scheme == "https":
            raise Refused(f"{reply.where}: redirects to {url.scheme}://{url.host}; expected https")
        return str(url)

    def _pages(self, kind: type[Page], path: str, query: Mapping[str, str]) -> Iterator[Page]:
        """Every page of a list, by the links between them (RFC 8288)."""
        for number in range(1, _PAGES + 1):
            reply = self._call("GET", f"{path}?{urlencode({**query, 'per_page': _PER_PAGE, 'page': number})}")
            yield _read(kind, reply)
            if 'rel="next"' not in reply.headers.get("link", ""):
                return
        raise Failed(f"{self._base}{path} lists more than {_PAGES * _PER_PAGE} entries, which is all that GitHub gives")

    def _call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        accept: str = "application/vnd.github+json",
        expected: tuple[int, ...] = (),
    ) -> Reply:
        reply = self._send(method, path, body, accept)
        if reply.status == httpx.codes.UNAUTHORIZED and self._credentials.renew():
            reply = self._send(method, path, body, accept)
        if reply.status not in expected and (problem := problem_of(reply)) is not None:
            raise problem
        return reply

    def _send(self, method: str, path: str, body: object, accept: str) -> Reply:
        url = f"{self._base}{path}"
        headers = {
            "Authorization": f"Bearer {self._credentials.token().get_secret_value()}",
            "Accept": accept,
            "X-GitHub-Api-Version": self._version,
            "User-Agent": "baton-release",
        }
        return fetched(method, url, where=f"{method} {url.partition('?')[0]}", headers=headers, json=body)


class _Pending(Answer):
    entries: tuple[PendingDeployment, ...]


def _is_address(text: str) -> bool:
    try:
        return bool(text) and httpx.URL(text).scheme in ("http", "https", "")
    except httpx.InvalidURL:
        return False


def _read(kind: type[Page], reply: Reply) -> Page:
    # Of GitHub's answers one is a bare list.
    body = b'{"entries":%s}' % reply.body if kind is _Pending else reply.body
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
    raise Invalid(f"{reply.where}: GitHub's answer has no form that is understood: {place}: {first['msg']}")
