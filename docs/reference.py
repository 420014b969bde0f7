"""Write the tables of keys in `release-toml.md` anew from the schema: ``python docs/reference.py``.

A table stands between the comments ``keys of NAME`` and ``end``; the text around them is written by hand.
"""  # noqa: INP001  # scripts beside the documents that they make, no package

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from baton.project.json_schema import json_schema

PAGE = Path(__file__).with_name("release-toml.md")

WORDS = {
    r"^[a-z0-9][a-z0-9._-]*$": "name",
    r"^[0-9]{1,7}[smhd]$": "duration",
}
"""The kinds of text that the page explains, by their patterns."""


def with_tables(page: str) -> str:
    """The page with every table of keys made anew.

    Raises:
        KeyError: the page asks for the keys of a table that the schema doesn't have.
    """
    schema = json_schema()

    def table(found: re.Match[str]) -> str:
        rows = "\n".join(_rows(schema["$defs"][found[1]], schema))
        return f"<!-- keys of {found[1]} -->\n\n{rows}\n\n<!-- end -->"

    return re.sub(r"<!-- keys of (\w+) -->.*?<!-- end -->", table, page, flags=re.DOTALL)


def _rows(table: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    rows = ["| key | value | if left out | |", "| --- | --- | --- | --- |"]
    required = table.get("required", [])
    for key, node in sorted(table["properties"].items(), key=lambda item: item[0] not in required):
        meaning = (node.get("description") or _target(node, schema)["description"]).replace("\n", " ")
        rows.append(
            f"| `{key}` | {_value(node, schema)} | {'*required*' if key in required else _default(node)} | {meaning} |"
        )
    return rows


def _default(node: dict[str, Any]) -> str:
    return f"`{json.dumps(node['default'])}`" if node.get("default") not in (None, []) else ""


def _value(node: dict[str, Any], schema: dict[str, Any]) -> str:
    node = _target(node, schema)
    if "const" in node or "enum" in node:
        return " or ".join(f"`{json.dumps(word)}`" for word in node.get("enum", [node.get("const")]))
    match node.get("type"):
        case "array" if node["items"].get("type") == "array":
            return "array: command"
        case "array":
            return f"array: {_value(node['items'], schema)}"
        case "object" if "patternProperties" in node:
            (inner,) = node["patternProperties"].values()
            return f"table: {_value(inner, schema)}"
        case "string" if node.get("format") == "date":
            return "date"
        case "string":
            return WORDS.get(node.get("pattern", ""), "text")
        case "integer":
            return "whole number"
        case "boolean":
            return "`true` or `false`"
        case _:
            return "table"


def _target(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    target: dict[str, Any] = schema["$defs"][node["$ref"].rpartition("/")[2]]
    return target


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
