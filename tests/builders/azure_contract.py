"""Which requests Azure DevOps takes and what it answers, as far as Baton and its simulator go.

Names, types and values are those of the official description of the REST API, version 7.1; of each document no more
fields than are needed here, and no others than these are let through. Three things are left out of that description,
and known from its examples and clients: lists come as ``{"count", "value"}``, a date has a ``Z``, and a timeline's id
may be left out of its address.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it publishes no types

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

Schema = dict[str, Any]

WORD: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1}
TRUTH: Schema = {"type": "boolean"}
UUID: Schema = {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
TIME: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}


def one_of(*values: str) -> Schema:
    return {"enum": list(values)}


def many(entry: Schema) -> Schema:
    return {"type": "array", "items": entry}


def mapping(entry: Schema) -> Schema:
    return {"type": "object", "additionalProperties": entry}


def record(**fields: Schema) -> Schema:
    return {"type": "object", "properties": fields, "additionalProperties": False}


def needing(schema: Schema, *names: str) -> Schema:
    return {**schema, "required": list(names)}


def listed(entry: Schema) -> Schema:
    return needing(record(count=NUMBER, value=many(entry)), "count", "value")


LINKS = mapping(record(href=WORD))

RUN_PARAMETERS = record(
    resources=record(repositories=mapping(record(refName=WORD, version=WORD))),
    stagesToSkip=many(WORD),
    templateParameters=mapping(WORD),
    variables=mapping(record(isSecret=TRUTH, value=WORD)),
)
REPOSITORY_TYPE = one_of("unknown", "gitHub", "azureReposGit", "gitHubEnterprise", "azureReposGitHyphenated")
RUN = needing(
    record(
        id=NUMBER,
        name=WORD,
        state=one_of("unknown", "inProgress", "canceling", "completed"),
        result=one_of("unknown", "succeeded", "failed", "canceled"),
        createdDate=TIME,
        finishedDate=TIME,
        pipeline=record(id=NUMBER, name=WORD, folder=WORD, revision=NUMBER, url=WORD),
        templateParameters=mapping(WORD),
        variables=mapping(record(isSecret=TRUTH, value=WORD)),
        resources=record(
            repositories=mapping(record(refName=WORD, version=WORD, repository=record(type=REPOSITORY_TYPE)))
        ),
        url=WORD,
        _links=LINKS,
    ),
    "id",
    "state",
)
ARTIFACT = needing(record(name=WORD, url=WORD, signedContent=record(url=WORD, signatureExpires=TIME)), "name")

BUILD = record(
    id=NUMBER,
    buildNumber=WORD,
    status=one_of("none", "inProgress", "completed", "cancelling", "postponed", "notStarted", "all"),
    result=one_of("none", "succeeded", "partiallySucceeded", "failed", "canceled"),
    queueTime=TIME,
    startTime=TIME,
    finishTime=TIME,
    definition=record(
        id=NUMBER, name=WORD, type=one_of("xaml", "build"), queueStatus=one_of("enabled", "paused", "disabled")
    ),
    sourceBranch=WORD,
    sourceVersion=WORD,
    templateParameters=mapping(WORD),
    parameters=WORD,
    tags=many(WORD),
    reason=one_of("manual", "individualCI", "schedule", "pullRequest", "resourceTrigger", "triggered"),
    priority=one_of("low", "belowNormal", "normal", "aboveNormal", "high"),
    url=WORD,
    uri=WORD,
    _links=LINKS,
)
A_BUILD = needing(BUILD, "id", "status")
TIMELINE = needing(
    record(
        id=UUID,
        changeId=NUMBER,
        url=WORD,
        records=many(
            needing(
                record(
                    id=UUID,
                    parentId=UUID,
                    type=WORD,
                    name=WORD,
                    identifier=WORD,
                    state=one_of("pending", "inProgress", "completed"),
                    result=one_of("succeeded", "succeededWithIssues", "failed", "canceled", "skipped", "abandoned"),
                    startTime=TIME,
                    finishTime=TIME,
                    order=NUMBER,
                    attempt=NUMBER,
                    errorCount=NUMBER,
                    warningCount=NUMBER,
                    previousAttempts=many(record(attempt=NUMBER, recordId=UUID, timelineId=UUID)),
                    issues=many(record(type=one_of("error", "warning"), category=WORD, message=WORD)),
                    log=record(id=NUMBER, type=WORD, url=WORD),
                ),
                "id",
                "type",
            )
        ),
    ),
    "records",
)
BUILD_ARTIFACT = record(id=NUMBER, name=WORD, source=WORD, resource=record(type=WORD, data=WORD, downloadUrl=WORD))
BUILD_LOG = record(id=NUMBER, type=WORD, url=WORD, lineCount=NUMBER)
LEASE_FIELDS = {"definitionId": NUMBER, "ownerId": WORD, "protectPipeline": TRUTH, "runId": NUMBER}
NEW_LEASE = needing(record(daysValid=NUMBER, **LEASE_FIELDS), "daysValid", "definitionId", "ownerId", "runId")
LEASE = record(leaseId=NUMBER, createdOn=TIME, validUntil=TIME, **LEASE_FIELDS)

APPROVAL_STATUS = one_of(
    "undefined",
    "uninitiated",
    "pending",
    "approved",
    "rejected",
    "skipped",
    "canceled",
    "timedOut",
    "failed",
    "completed",
    "all",
)
APPROVAL = needing(
    record(
        id=UUID,
        status=APPROVAL_STATUS,
        createdOn=TIME,
        lastModifiedOn=TIME,
        executionOrder=one_of("anyOrder", "inSequence"),
        minRequiredApprovers=NUMBER,
        instructions=WORD,
        blockedApprovers=many(record(id=WORD, displayName=WORD)),
        steps=many(
            record(
                assignedApprover=record(id=WORD, displayName=WORD, uniqueName=WORD),
                status=APPROVAL_STATUS,
                order=NUMBER,
                history=many(record()),
            )
        ),
        _links=LINKS,
    ),
    "id",
    "status",
)
NEW_STATUS = needing(record(approvalId=UUID, status=APPROVAL_STATUS, comment=WORD), "approvalId", "status")
STAGE = needing(record(state=one_of("cancel", "retry"), forceRetryAllJobs=TRUTH), "state")

NOTHING: Schema = {"const": None}
ANYTHING: Schema = {}

RUNS, BUILDS = "pipelines/{pipelineId}/runs", "build/builds"
ONE = f"{BUILDS}/{{buildId}}"

OPERATIONS: dict[tuple[str, str], tuple[str, Schema, Schema]] = {
    # Parameters of the address, the request's body, the answer.
    ("POST", RUNS): ("pipelineVersion", RUN_PARAMETERS, RUN),
    ("GET", RUNS): ("", NOTHING, listed(RUN)),
    ("GET", f"{RUNS}/{{runId}}"): ("", NOTHING, RUN),
    ("GET", f"{RUNS}/{{runId}}/artifacts"): ("artifactName $expand", NOTHING, ARTIFACT),
    ("GET", BUILDS): (
        "definitions minTime maxTime statusFilter tagFilters $top continuationToken queryOrder branchName buildIds",
        NOTHING,
        listed(A_BUILD),
    ),
    ("GET", ONE): ("propertyFilters", NOTHING, A_BUILD),
    ("PATCH", ONE): ("retry", BUILD, A_BUILD),
    ("GET", f"{ONE}/timeline"): ("changeId planId", NOTHING, TIMELINE),
    ("GET", f"{ONE}/timeline/{{timelineId}}"): ("changeId planId", NOTHING, TIMELINE),
    ("PATCH", f"{ONE}/stages/{{stageRefName}}"): ("", STAGE, NOTHING),
    ("GET", f"{ONE}/artifacts"): ("", NOTHING, listed(BUILD_ARTIFACT)),
    ("GET", f"{ONE}/logs"): ("", NOTHING, listed(BUILD_LOG)),
    ("GET", f"{ONE}/logs/{{logId}}"): ("startLine endLine", NOTHING, ANYTHING),
    ("GET", f"{ONE}/tags"): ("", NOTHING, listed(WORD)),
    ("POST", f"{ONE}/tags"): ("", many(WORD), listed(WORD)),
    ("PUT", f"{ONE}/tags/{{tag}}"): ("", NOTHING, listed(WORD)),
    ("GET", f"{ONE}/leases"): ("", NOTHING, listed(LEASE)),
    ("POST", "build/retention/leases"): ("", many(NEW_LEASE), listed(LEASE)),
    ("GET", "pipelines/approvals"): ("approvalIds $expand userIds state top", NOTHING, listed(APPROVAL)),
    ("PATCH", "pipelines/approvals"): ("", many(NEW_STATUS), listed(APPROVAL)),
}


def operation(method: str, path: str) -> tuple[str, str] | None:
    """The operation that a request is of; None if it is none of a project's API."""
    found = re.fullmatch(r"/[^/]+/[^/]+/_apis/(.+)", path)
    if found is None:
        return None
    for known, template in OPERATIONS:
        if known == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), found[1]):
            return known, template
    return method, found[1]


class Checked:
    """An application, with everything that goes in and out held against the description.

    Attributes:
        seen: the operations, in order.
        problems: what was not as described.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.seen: list[tuple[str, str]] = []
        self.problems: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        which = operation(scope["method"], scope["path"])
        if which is None:
            await self._app(scope, receive, send)
            return
        self.seen.append(which)
        if which not in OPERATIONS:
            self.problems.append(f"{which}: no such operation")
        asked, said = b"", b""
        start: Message = {}

        async def hear() -> Message:
            nonlocal asked
            message = await receive()
            asked += message.get("body", b"")
            return message

        async def tell(message: Message) -> None:
            nonlocal said, start
            start = message if message["type"] == "http.response.start" else start
            said += message.get("body", b"")
            await send(message)

        await self._app(scope, hear, tell)
        if which in OPERATIONS:
            self._check(which, scope, asked, start, said)

    def _check(self, which: tuple[str, str], scope: Scope, asked: bytes, start: Message, said: bytes) -> None:
        parameters, request, answer = OPERATIONS[which]
        query = dict(parse_qsl(scope["query_string"].decode()))
        if unknown := set(query) - set(parameters.split()) - {"api-version"}:
            self.problems.append(f"{which}: no such parameters: {unknown}")
        if query.get("api-version", "7.1") != "7.1":
            self.problems.append(f"{which}: another version: {query}")
        self._hold(which, "request", asked, request)
        headers = dict(start["headers"])
        if start["status"] == 200 and headers.get(b"content-type", b"application/json") == b"application/json":
            self._hold(which, "answer", said, answer)

    def _hold(self, which: tuple[str, str], what: str, content: bytes, schema: Schema) -> None:
        try:
            document = json.loads(content) if content else None
        except ValueError as error:
            self.problems.append(f"{which}: {what}: {error}")
            return
        for found in Draft202012Validator(schema).iter_errors(document):
            self.problems.append(f"{which}: {what}: {found.json_path}: {found.message[:300]}")
