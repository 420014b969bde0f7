"""What the jobs of a run said."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from baton.builders.github_download import download
from baton.builders.github_report import failed_jobs
from baton.builders.log import tail
from baton.builders.process import LOG_LIMIT
from baton.model.errors import Missing

if TYPE_CHECKING:
    from pathlib import Path

    from baton.builders.github_answers import Job
    from baton.builders.github_api import GitHubApi
    from baton.builders.outside import Intake

_END = 1024**2
"""Bytes at the end of a log in which its last error is looked for."""

_TIME = re.compile(r"^\ufeff?[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z ", re.MULTILINE)
"""What GitHub puts before each line."""

_ERROR = "##[error]"
"""What a runner puts before the reason why a step failed; cleaning up comes after it."""


def save_log(api: GitHubApi, jobs: list[Job], to: Path, intake: Intake) -> None:
    """Write the logs of all jobs to a new file, those of failed ones at the end.

    Raises:
        Unavailable: one could not be fetched just now.
        Stopped: the caller wished it.
    """
    failed = failed_jobs(jobs)
    with to.open("xb") as file:
        for job in [*(job for job in jobs if job not in failed), *failed]:
            file.write(f"== {job.name}: {job.conclusion or job.status}\n".encode())
            what = f"the log of the job {job.name!r}"
            try:
                address = api.log_address(job.id)
            except Missing:
                file.write(b"GitHub has no log of this job.\n")
                continue
            _, more = download(address, file, what=what, limit=LOG_LIMIT - file.tell(), intake=intake)
            if more:
                return
            file.write(b"\n")


def excerpt(log: Path) -> str:
    """The end of a log, up to its last error: at most 12 lines and 1200 characters."""
    with log.open("rb") as file:
        file.seek(max(0, file.seek(0, 2) - _END))
        text = _TIME.sub("", file.read().decode("utf-8", "replace"))
    before, error, after = text.rpartition(_ERROR)
    if error:
        text = before + error + after.partition("\n")[0]
    end = log.with_name("excerpt.log")
    end.write_text(text, encoding="utf-8")
    return tail(end)
