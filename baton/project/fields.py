"""The ground of the tables of `release.toml`, and the kinds of text that stand in them."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from baton.project.template import VERSION, known, known_and_bare


class Table(BaseModel):
    """A table of the file: its keys are written with hyphens, and an unknown one is refused.

    Values have the TOML type that is asked for: a number in quotes is no number. The text below each field is its
    documentation, in the published JSON Schema as well.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


_SECONDS_IN = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600}
_LONGEST = 14 * 24 * 3600


def seconds(duration: str) -> int:
    """A duration such as ``90s``, ``30m``, ``2h`` or ``1d`` in seconds."""
    return int(duration[:-1]) * _SECONDS_IN[duration[-1]]


def _bounded(duration: str) -> str:
    if not 0 < seconds(duration) <= _LONGEST:
        raise ValueError(f'found "{duration}"; accepted: from 1s to 14d')
    return duration


Duration = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,7}[smhd]$"), AfterValidator(_bounded)]
"""A span of time as people write it: a whole number and its unit."""


def _addressable(repository: str) -> str:
    if not repository.isprintable():
        raise ValueError("accepted: a git URL or a path, without control characters")
    if not repository.startswith(("http://", "https://")):
        return repository
    try:
        address = urlsplit(repository)
    except ValueError as error:
        raise ValueError(f"accepted: a git URL or a path; as a URL this is malformed: {error}") from error
    if "@" in address.netloc:
        raise ValueError("the address carries a user or password; leave it out, git asks its credential helper")
    return repository


Repository = Annotated[
    str, StringConstraints(pattern=r"^[^-]", min_length=1, max_length=1000), AfterValidator(_addressable)
]
"""A git URL, or a path."""


def is_url(repository: str) -> bool:
    """Whether git would reach the repository over a network: ``scheme://…``, or ssh's short form ``host:path``.

    The rule is that of git-clone(1): a colon counts only if no slash stands before it.
    """
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*://|[^/]+:", repository) is not None


def _a_tag(template: str) -> str:
    known_and_bare(template)
    if f"{{{VERSION}}}" not in template:
        raise ValueError(f'found "{template}"; accepted: a name with {{{VERSION}}} in it, since no two tags are equal')
    if re.search(r"\.\.|//|/\.|\.lock(/|$)|[./]$", template):
        raise ValueError(f'found "{template}"; accepted: what git takes as a tag, see git-check-ref-format(1)')
    return template


TagTemplate = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9{][A-Za-z0-9._/+{}-]*$", max_length=150),
    AfterValidator(_a_tag),
]
"""The name of a tag, with ``{version}`` in it."""

FileTemplate = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_{][A-Za-z0-9._+{}-]*$", max_length=150),
    AfterValidator(known_and_bare),
]
"""The name of a released file; ``{version}`` may stand in it."""

TextTemplate = Annotated[str, StringConstraints(max_length=1000), AfterValidator(known)]
"""Any text; ``{version}`` may stand in it."""

CommandTemplate = Annotated[
    tuple[Annotated[str, StringConstraints(max_length=4000), AfterValidator(known)], ...],
    Field(min_length=1, max_length=100),
]
"""A program and its arguments, which no shell reads; ``{version}`` may stand in them."""

KeyFile = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f]+$", max_length=1000)]
"""The path of a file with an ASCII-armoured OpenPGP public key, relative to ``release.toml``."""

Issuer = Annotated[str, StringConstraints(pattern=r"^https?://", max_length=500)]
"""The OIDC issuer of an identity, exactly as certificates name it."""

Fingerprint = Annotated[str, StringConstraints(pattern=r"^([0-9A-F]{40}|[0-9A-F]{64})$")]
"""The fingerprint of an OpenPGP primary key."""
