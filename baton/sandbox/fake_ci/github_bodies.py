"""GitHub's answers, with every field that its description requires, and those that people look at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from baton.sandbox.fake_ci.github_run import FakeArtifact, FakeRun
    from baton.sandbox.fake_ci.github_workflow import Workflow

Json = dict[str, Any]

_USER_URLS = "avatar events followers following gists html organizations received_events repos starred subscriptions"
_REPOSITORY_URLS = (
    "archive assignees blobs branches collaborators comments commits compare contents contributors deployments "
    "downloads events forks git_commits git_refs git_tags hooks html issue_comment issue_events issues keys labels "
    "languages merges milestones notifications pulls releases stargazers statuses subscribers subscription tags teams "
    "trees"
)
_WORKFLOW_ID = 7
_RETENTION = timedelta(days=90)


class Bodies:
    """The answers of one repository.

    Attributes:
        api: the address that they link to.
    """

    def __init__(self, api: str, workflow: Workflow) -> None:
        self.api = api
        self._workflow = workflow
        self._base = f"{api}/repos/{workflow.full_name}"

    def page_of(self, run: int) -> str:
        """Where people see a run."""
        return f"{self.api}/{self._workflow.full_name}/actions/runs/{run}"

    def dispatched(self, run: FakeRun) -> Json:
        """``workflow-dispatch-response``."""
        return {
            "workflow_run_id": run.id,
            "run_url": f"{self._base}/actions/runs/{run.id}",
            "html_url": self.page_of(run.id),
        }

    def run(self, run: FakeRun) -> Json:
        """``workflow-run``."""
        here = f"{self._base}/actions/runs/{run.id}"
        sub = ("jobs", "logs", "cancel", "rerun", "artifacts")
        return {
            "id": run.id,
            "name": self._workflow.file,
            "node_id": f"WFR_{run.id}",
            "head_branch": run.ref,
            "head_sha": run.head_sha,
            "path": f".github/workflows/{self._workflow.file}",
            "display_title": run.title,
            "run_number": run.id,
            "run_attempt": run.attempt,
            "event": "workflow_dispatch",
            "status": run.status,
            "conclusion": run.conclusion,
            "workflow_id": _WORKFLOW_ID,
            "url": here,
            "html_url": self.page_of(run.id),
            "pull_requests": [],
            "created_at": _time(run.created),
            "updated_at": _time(datetime.now(UTC)),
            "run_started_at": _time(run.created),
            **{f"{name}_url": f"{here}/{name}" for name in sub},
            "check_suite_url": f"{self._base}/check-suites/{run.id}",
            "workflow_url": f"{self._base}/actions/workflows/{_WORKFLOW_ID}",
            "head_commit": None,
            "repository": self._repository(),
            "head_repository": self._repository(),
        }

    def job(self, run: FakeRun) -> Json:
        """``job``: the one job of a run's latest attempt."""
        begun = run.status in ("in_progress", "completed")
        ended = run.status == "completed"
        step = {
            "name": "Run the recipe",
            "status": "completed" if ended else "in_progress",
            "conclusion": run.conclusion if ended else None,
            "number": 1,
        }
        return {
            "id": run.job,
            "run_id": run.id,
            "run_url": f"{self._base}/actions/runs/{run.id}",
            "run_attempt": run.attempt,
            "node_id": f"CR_{run.job}",
            "head_sha": run.head_sha,
            "url": f"{self._base}/actions/jobs/{run.job}",
            "html_url": f"{self.page_of(run.id)}/job/{run.job}",
            "status": run.status,
            "conclusion": run.conclusion,
            "created_at": _time(run.created),
            "started_at": _time(run.created),
            "completed_at": _time(datetime.now(UTC)) if ended else None,
            "name": self._workflow.job,
            "steps": [step] if begun else [],
            "check_run_url": f"{self._base}/check-runs/{run.job}",
            "labels": ["sandbox"],
            "runner_id": 1 if begun else None,
            "runner_name": "sandbox" if begun else None,
            "runner_group_id": 1 if begun else None,
            "runner_group_name": "Default" if begun else None,
            "workflow_name": self._workflow.file,
            "head_branch": run.ref,
        }

    def artifact(self, artifact: FakeArtifact, run: FakeRun, *, expired: bool, digest: str | None) -> Json:
        """``artifact``."""
        here = f"{self._base}/actions/artifacts/{artifact.id}"
        return {
            "id": artifact.id,
            "node_id": f"A_{artifact.id}",
            "name": artifact.name,
            "size_in_bytes": artifact.size,
            "url": here,
            "archive_download_url": f"{here}/zip",
            "expired": expired,
            "created_at": _time(run.created),
            "updated_at": _time(run.created),
            "expires_at": _time(run.created + (-_RETENTION if expired else _RETENTION)),
            "digest": digest,
            "workflow_run": {"id": run.id, "head_branch": run.ref, "head_sha": run.head_sha},
        }

    def pending(self, run: FakeRun) -> list[Json]:
        """An array of ``pending-deployment``."""
        if run.status != "waiting":
            return []
        name = self._workflow.environment
        return [
            {
                "environment": {
                    "id": 1,
                    "node_id": "EN_1",
                    "name": name,
                    "url": f"{self._base}/environments/{name}",
                    "html_url": f"{self.api}/{self._workflow.full_name}/deployments",
                },
                "wait_timer": 0,
                "wait_timer_started_at": None,
                "current_user_can_approve": False,
                "reviewers": [{"type": "User", "reviewer": self._user(login)} for login in self._workflow.reviewers],
            }
        ]

    def installation(self, app: str) -> Json:
        """``installation``."""
        now = _time(datetime.now(UTC))
        return {
            "id": 1,
            "app_id": int(app) if app.isdecimal() else 1,
            "app_slug": "baton",
            "client_id": app,
            "target_id": 1,
            "target_type": "Organization",
            "single_file_name": None,
            "repository_selection": "selected",
            "access_tokens_url": f"{self.api}/app/installations/1/access_tokens",
            "html_url": f"{self.api}/settings/installations/1",
            "repositories_url": f"{self.api}/installation/repositories",
            "events": [],
            "account": self._user(self._workflow.full_name.partition("/")[0]),
            "permissions": {"actions": "write", "contents": "read"},
            "created_at": now,
            "updated_at": now,
            "suspended_by": None,
            "suspended_at": None,
        }

    def _user(self, login: str) -> Json:
        here = f"{self.api}/users/{login}"
        return {
            "login": login,
            "id": 1,
            "node_id": "U_1",
            "gravatar_id": "",
            "url": here,
            "type": "User",
            "site_admin": False,
            **{f"{name}_url": f"{here}/{name}" for name in _USER_URLS.split()},
        }

    def _repository(self) -> Json:
        owner, _, name = self._workflow.full_name.partition("/")
        return {
            "id": 1,
            "node_id": "R_1",
            "name": name,
            "full_name": self._workflow.full_name,
            "owner": self._user(owner),
            "private": False,
            "description": "A repository of the sandbox",
            "fork": False,
            "url": self._base,
            **{f"{each}_url": f"{self._base}/{each}" for each in _REPOSITORY_URLS.split()},
        }


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
