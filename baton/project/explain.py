"""What pydantic found wrong with a document, in the words of the document: place, what was found, what is accepted."""

from __future__ import annotations

import difflib
import functools
import json
from typing import TYPE_CHECKING, Any

from baton.model import code_signing
from baton.model.announcing import MAIL_ADDRESS
from baton.project.builder_tables import DEFAULT_KIND
from baton.project.json_schema import json_schema
from baton.project.problem import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from baton.project.problem import Place

_LONGEST_FOUND = 80

_HTTPS = 'an address that begins with https://, without a slash at its end, such as "https://api.github.com"'

PATTERNS = {
    r"^[a-z0-9][a-z0-9._-]*$": 'a name of lower-case letters, digits, ".", "_" and "-", such as "build-windows"',
    r"^(\*|[0-9]+(\.[0-9]+)*)$": 'the beginning of its versions, such as "3.14", or "*"',
    r"^[0-9]{1,7}[smhd]$": 'a whole number and s, m, h or d, such as "30m" or "2h"',
    r"^[A-Z][A-Z0-9_]*$": 'the name of an environment variable, such as "BATON_WEBHOOK"',
    r"^[A-Za-z0-9{][A-Za-z0-9._/+{}-]*$": 'the name of a tag, such as "v{version}"',
    r"^[A-Za-z0-9_{][A-Za-z0-9._+{}-]*$": 'a file name of letters, digits, ".", "_", "+" and "-" without folders, '
    'such as "hello-{version}.tar.gz"',
    r"^[A-Za-z0-9_][A-Za-z0-9._/-]*$": 'a folder of the checkout, such as "dist"',
    r"^[A-Za-z_][A-Za-z0-9_-]*$": 'the name of an input, such as "git_commit"',
    r"^[A-Za-z0-9_][A-Za-z0-9 ._-]*$": 'a name of letters, digits, ".", "_", "-" and spaces',
    r"^[A-Za-z0-9_-]+/[A-Za-z0-9._-]*[A-Za-z0-9_-]$": 'a repository of GitHub, such as "python/release-tools"',
    r"^[A-Za-z0-9_][A-Za-z0-9._-]*\.ya?ml$": 'the file of a workflow without folders, such as "build.yml"',
    r"^[A-Za-z0-9._-]+$": "a client id or a number",
    r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$": "an id of Microsoft Entra in lower case, such as "
    '"01234567-89ab-cdef-0123-456789abcdef"',
    r"^(https://[A-Za-z0-9.-]+|http://(127\.0\.0\.1|localhost))(:[0-9]{1,5})?(/[A-Za-z0-9._-]+)*$": _HTTPS,
    r"^(https://[A-Za-z0-9.-]+|http://(127\.0\.0\.1|localhost))(:[0-9]{1,5})?(/[A-Za-z0-9._~%-]+)*$": _HTTPS,
    r"^(ssh|sk-ssh|ecdsa|sk-ecdsa)-\S+ [A-Za-z0-9+/=]+( .*)?$": "one line of authorized_keys without options, such as "
    '"ssh-ed25519 AAAA… ada@laptop"',
    r"^([0-9A-F]{40}|[0-9A-F]{64})$": "40 or 64 hexadecimal digits in upper case, without spaces",
    r"^https?://": "an address that begins with https://",
    r"^https?://\S+$": "an address that begins with https://, without spaces",
    r"^/[^\x00-\x1f]*$": "an absolute path",
    r"^[^\x00-\x1f]+$": "the path of a file",
    r"^[0-9a-f]{64}$": "64 hexadecimal digits in lower case",
    r"^[0-9A-Fa-f]{40}$": "40 hexadecimal digits",
    code_signing.PKCS11_URI: 'a key of a token without its PIN, such as "pkcs11:token=releases;object=code"',
    r"^[A-Za-z0-9-]{3,24}$": "the name of an account of 3 to 24 letters, digits and hyphens",
    r"^[A-Za-z0-9_-]{3,100}$": 'the name of a profile of 3 to 100 letters, digits, "_" and "-"',
    r"^https?://[^\s@]+$": 'the address of a timestamp authority, such as "http://timestamp.example.org"',
    r"^[ -~]*$": "plain ASCII text",
    r"^Developer ID (Application|Installer): .+ \([A-Z0-9]{10}\)$": "the name of a certificate, such as "
    '"Developer ID Installer: Example (ABCDE12345)"',
    r"^[A-Z0-9]{10}$": "an id of Apple's, 10 capital letters and digits",
    r"^[0-9a-fA-F-]{36}$": 'an issuer id, such as "01234567-89ab-cdef-0123-456789abcdef"',
    r"^[^\x00-\x1f\x7f]+$": "a name without control characters",
    MAIL_ADDRESS: 'a mail address without a name, such as "releases@example.org"',
    r"^[A-Za-z0-9:]([A-Za-z0-9.:-]*[A-Za-z0-9])?$": 'the name or IP address of a machine, such as "mail.example.org"',
    r"^[^-]": 'a git URL or a path that doesn\'t begin with "-"',
}
"""Every pattern of the schema in words."""

_TYPES = {
    "string_type": "text in quotes",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "tuple_type": "an array in brackets",
    "date_type": "a date without quotes, such as 2026-10-01",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}

_BOUNDS = {
    "greater_than": "more than {gt}",
    "greater_than_equal": "{ge} or more",
    "less_than_equal": "{le} or less",
    "string_too_short": "{min_length} characters or more",
    "string_too_long": "{max_length} characters or fewer",
    "too_short": "{min_length} entries or more",
    "too_long": "{max_length} entries or fewer",
}


def faults_of(error: ValidationError, document: dict[str, Any]) -> Iterator[Fault]:
    """Everything that pydantic says about the document, each with its place in it."""
    schema = json_schema()
    for detail in error.errors(include_url=False):
        if _merely_follows(detail):
            continue
        place = _place(detail["loc"], document)
        yield _fault(detail, place, schema, document)


def near(word: str, accepted: Iterable[str]) -> str:
    """``; did you mean "queue"?`` if one of the accepted words is close, else nothing."""
    close = difflib.get_close_matches(word, list(accepted), n=1, cutoff=0.7)
    return f'; did you mean "{close[0]}"?' if close else ""


def show(found: object) -> str:
    """A value of the document as people wrote it, shortened; a private key that strayed into it is not repeated."""
    match found:
        case str() if "PRIVATE KEY" in found:
            return "a private key, which must never stand here"
        case str():
            text = json.dumps(found, ensure_ascii=not found.isprintable())
            return text if len(text) <= _LONGEST_FOUND else f'{text[:_LONGEST_FOUND]}…"'
        case bool():
            return str(found).lower()
        case dict():
            return "a table"
        case tuple() | list():
            return f"an array of {len(found)}"
        case int() if found.bit_length() > _LONGEST_FOUND:
            return "a very large number"
        case _:
            return str(found)


def _merely_follows(detail: ErrorDetails) -> bool:
    """Whether an array is called too short only because its elements, each told by itself, did not count."""
    return detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]


def _place(location: tuple[int | str, ...], document: dict[str, Any]) -> Place:
    """Where pydantic means in the document: its location without the marks for union members and for keys."""
    place: list[str | int] = []
    here: Any = document
    tag_follows = True
    for index, part in enumerate(location):
        last = index == len(location) - 1
        if last and part == "[key]":
            break
        if tag_follows and not last and isinstance(here, dict) and here.get("kind", DEFAULT_KIND) == part:
            tag_follows = False
            continue
        place.append(part)
        here = _inside(here, part)
        tag_follows = True
    return tuple(place)


def _fault(detail: ErrorDetails, place: Place, schema: dict[str, Any], document: dict[str, Any]) -> Fault:
    found, context = detail["input"], detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            return Fault(place, _unknown_key(str(place[-1]), _keys(schema, place[:-1], document)))
        case "missing":
            meaning = _node(schema, place, document).get("description", "").replace("\n", " ")
            return Fault(place, f"required, but missing. {meaning}".strip())
        case "union_tag_not_found":
            return Fault(
                (*place, "kind"), f"required, but missing; accepted: {_listed(_kinds(schema, place, document))}"
            )
        case "union_tag_invalid":
            return Fault((*place, "kind"), _unaccepted(context["tag"], _kinds(schema, place, document)))
        case "enum" | "literal_error":
            accepted = [word.strip(" '") for word in context["expected"].replace(" or ", ", ").split(",")]
            return Fault(place, _unaccepted(found, accepted))
        case "string_pattern_mismatch":
            words = PATTERNS.get(context["pattern"], f"text that matches {context['pattern']}")
            return Fault(place, f"{_found(place, found)}accepted: {words}")
        case "value_error":
            return Fault(place, str(context["error"]))
        case kind if kind in _TYPES:
            return Fault(place, f"{_found(place, found)}accepted: {_TYPES[kind]}")
        case kind if kind in _BOUNDS:
            return Fault(place, f"{_found(place, found)}accepted: {_BOUNDS[kind].format_map(context)}")
        case _:
            return Fault(place, f"{_found(place, found)}{detail['msg'][:1].lower()}{detail['msg'][1:]}")


def _unknown_key(key: str, accepted: list[str]) -> str:
    return f"unknown key{near(key, accepted) or '; accepted: ' + ', '.join(accepted)}"


def _unaccepted(found: object, accepted: list[str]) -> str:
    return (
        f"found {show(found)}; accepted: {_listed(accepted)}{near(found, accepted) if isinstance(found, str) else ''}"
    )


def _listed(words: list[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)


def _found(place: Place, found: object) -> str:
    """What stands there; but not where the name of a secret is wanted, since the secret itself may have been given."""
    return "" if str(place[-1]).endswith("-from") else f"found {show(found)}; "


def _keys(schema: dict[str, Any], table: Place, document: dict[str, Any]) -> list[str]:
    """The keys that the schema accepts in a table of the document."""
    return list(_chosen(_node(schema, table, document), _at(document, table), schema)["properties"])


def _kinds(schema: dict[str, Any], table: Place, document: dict[str, Any]) -> list[str]:
    """The kinds of table that the schema accepts at a place of the document."""
    return list(_node(schema, table, document)["discriminator"]["mapping"])


def _node(schema: dict[str, Any], place: Place, document: dict[str, Any]) -> dict[str, Any]:
    """What the schema says of a place of the document."""
    node, here = schema, document
    for part in place:
        node, here = _below(_chosen(node, here, schema), part), _inside(here, part)
    return node


def _chosen(node: dict[str, Any], here: Any, schema: dict[str, Any]) -> dict[str, Any]:
    """What a schema node says of this table: references followed, of several forms the one of its kind."""
    if "oneOf" in node:
        kinds = node["discriminator"]["mapping"]
        node = {"$ref": kinds[here.get("kind", DEFAULT_KIND)]}
    if "$ref" in node:
        chosen: dict[str, Any] = schema["$defs"][node["$ref"].rpartition("/")[2]]
        return chosen
    return node


def _below(node: dict[str, Any], part: str | int) -> Any:
    if isinstance(part, int):
        return node["items"]
    if part in node.get("properties", {}):
        return node["properties"][part]
    return next(iter(node["patternProperties"].values()))


def _at(document: dict[str, Any], place: Place) -> Any:
    return functools.reduce(_inside, place, document)


def _inside(here: Any, part: str | int) -> Any:
    match here, part:
        case dict(), str():
            return here.get(part)
        case ((tuple() | list()), int()) if part < len(here):
            return here[part]
        case _:
            return None
