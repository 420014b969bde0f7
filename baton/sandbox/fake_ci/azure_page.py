"""The page of a run in the simulator of Azure Pipelines, on which everyone may approve."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from baton.sandbox.fake_ci.azure_documents import approval_id

if TYPE_CHECKING:
    from baton.sandbox.fake_ci.azure_run import FakeRun, StageRun

_PAGE = """<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><title>Run {id}</title>
<h1>{name}, run {id}: {status}</h1>
<p>A simulator for development: it proves nothing, and everyone may approve.</p>
<ul>{stages}</ul>
</html>
"""

_FORM = """ <form method="post" action="approve"><input type="hidden" name="approval" value="{id}">
{approvers} may approve. {instructions}
<button name="status" value="approved">Approve</button> <button name="status" value="rejected">Reject</button></form>"""


def run_page(run: FakeRun) -> str:
    """The page in HTML."""
    return _PAGE.format(
        id=run.id,
        name=escape(run.pipeline.name),
        status=run.result or run.status,
        stages="".join(
            f"<li>{escape(one.stage.name)}: {one.result or one.state}{_form(run, one)}" for one in run.stages
        ),
    )


def _form(run: FakeRun, stage: StageRun) -> str:
    if stage.approval != "pending":
        return ""
    return _FORM.format(
        id=approval_id(run, stage),
        approvers=escape(" or ".join(stage.stage.approvers)),
        instructions=escape(stage.stage.instructions),
    )
