"""Reduce GitHub's official API description to what Baton uses: ``reduce.py octokit-openapi-VERSION.tgz``.

The package is ``@octokit/openapi`` of npm (MIT licence, copyright 2020 Octokit contributors), as ``npm pack`` fetches
it. What is written to ``github.json`` is a part of its description of api.github.com, without texts and examples, with
:data:`CORRECTIONS`, and with ``null`` among the values of every field that is nullable.
"""

from __future__ import annotations

import json
import sys
import tarfile
from hashlib import sha256
from pathlib import Path
from typing import Any

PACKAGE = "@octokit/openapi 23.0.2"
SHA256 = "71a18407dd5e8464f4e0525daf03deabbe65abd9287d6adc7b5d98f516cd0d0c"
MEMBER = "package/generated/api.github.com.json"

REPOSITORY = "/repos/{owner}/{repo}"
OPERATIONS = (
    ("post", f"{REPOSITORY}/actions/workflows/{{workflow_id}}/dispatches"),
    ("get", f"{REPOSITORY}/actions/workflows/{{workflow_id}}/runs"),
    ("get", f"{REPOSITORY}/actions/runs/{{run_id}}"),
    ("get", f"{REPOSITORY}/actions/runs/{{run_id}}/jobs"),
    ("get", f"{REPOSITORY}/actions/runs/{{run_id}}/artifacts"),
    ("get", f"{REPOSITORY}/actions/runs/{{run_id}}/pending_deployments"),
    ("post", f"{REPOSITORY}/actions/runs/{{run_id}}/rerun-failed-jobs"),
    ("post", f"{REPOSITORY}/actions/runs/{{run_id}}/cancel"),
    ("post", f"{REPOSITORY}/actions/runs/{{run_id}}/force-cancel"),
    ("get", f"{REPOSITORY}/actions/artifacts/{{artifact_id}}/{{archive_format}}"),
    ("get", f"{REPOSITORY}/actions/jobs/{{job_id}}/logs"),
    ("get", f"{REPOSITORY}/commits/{{ref}}"),
    ("get", f"{REPOSITORY}/installation"),
    ("post", "/app/installations/{installation_id}/access_tokens"),
)

CORRECTIONS = {
    # Its text says that it takes ranges as GitHub's search does, such as `>=2026-11-22T12:00:00Z`.
    ("components", "parameters", "created", "schema"): {"type": "string"},
}

TEXTS = {"description", "summary", "title"}
EXTRAS = {"example", "examples", "externalDocs", "tags", "x-github"}


def main(package: Path) -> None:
    """Write ``github.json`` beside this file."""
    if (came := sha256(package.read_bytes()).hexdigest()) != SHA256:
        sys.exit(f"{package} has the SHA-256 {came}; expected {SHA256}, which is {PACKAGE}")
    with tarfile.open(package) as archive:
        content = archive.extractfile(MEMBER)
        if content is None:
            sys.exit(f"{package} holds no {MEMBER}")
        reduced = reduce(json.load(content))
    file = Path(__file__).with_name("github.json")
    file.write_text(json.dumps(reduced, separators=(",", ":"), sort_keys=True).replace('},"', '},\n"') + "\n")


def reduce(whole: dict[str, Any]) -> dict[str, Any]:
    """The operations and all that they refer to."""
    reduced: dict[str, Any] = {
        "openapi": whole["openapi"],
        "info": {
            "title": "A part of GitHub's REST API",
            "version": whole["info"]["version"],
            "license": whole["info"]["license"],
            "x-from": f"{PACKAGE}, SHA-256 {SHA256}, reduced by reduce.py",
        },
        "paths": {},
        "components": {},
    }
    for method, path in OPERATIONS:
        operation = bare(whole["paths"][path][method])
        reduced["paths"].setdefault(path, {})[method] = operation
        for response in operation["responses"].values():
            if "$ref" not in response:
                response["description"] = ""
    wanted = references(reduced["paths"])
    while wanted:
        _, _, kind, name = wanted.pop().split("/")
        kept = reduced["components"].setdefault(kind, {})
        if name not in kept:
            kept[name] = bare(whole["components"][kind][name]) | ({"description": ""} if kind == "responses" else {})
            wanted |= references(kept[name])
    for place, part in CORRECTIONS.items():
        inner = reduced
        for key in place[:-1]:
            inner = inner[key]
        inner[place[-1]] = part
    return reduced


def bare(part: Any) -> Any:
    """A part without what is for people; a field that is called ``description`` is an object, and stays.

    What may be null has to list it among its values (OpenAPI 3.0.3, "Schema Object", as clarified by the proposal
    "Clarify Semantics of nullable"); the description does not, and GitHub answers null all the same.
    """
    if isinstance(part, list):
        return [bare(each) for each in part]
    if not isinstance(part, dict):
        return part
    if part.get("nullable") is True and "enum" in part:
        part = {**part, "enum": [*part["enum"], None]}
    return {
        key: bare(value)
        for key, value in part.items()
        if key not in EXTRAS and not (key in TEXTS and isinstance(value, str))
    }


def references(part: Any) -> set[str]:
    """All that a part refers to."""
    if isinstance(part, list):
        return set().union(*map(references, part))
    if not isinstance(part, dict):
        return set()
    found = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
    return found.union(*map(references, part.values()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
