"""Texts in `release.toml` that say ``{version}`` where a release says which."""

from __future__ import annotations

import re

_BRACES = re.compile(r"\{\{([a-z_-]+)\}\}|\{([a-z_-]+)\}")

VERSION = "version"
"""The one placeholder there is."""


def expand(template: str, version: str) -> str:
    """Replace ``{version}`` by the version, and ``{{word}}`` by ``{word}``; everything else stays as it is.

    Raises:
        ValueError: a placeholder is none.
    """

    def replacement(found: re.Match[str]) -> str:
        literal, placeholder = found.groups()
        if literal is not None:
            return f"{{{literal}}}"
        if placeholder != VERSION:
            raise ValueError(
                f"unknown placeholder {{{placeholder}}}; accepted: {{{VERSION}}}, "
                f"or {{{{{placeholder}}}}} for the text itself"
            )
        return version

    return _BRACES.sub(replacement, template)


def known(template: str) -> str:
    """The template, if every placeholder in it is one.

    Raises:
        ValueError: a placeholder is none.
    """
    expand(template, "")
    return template


def known_and_bare(template: str) -> str:
    """The template of a name, in which braces stand around placeholders and nowhere else.

    Raises:
        ValueError: a placeholder is none, or a brace stands alone.
    """
    if re.search(r"[{}]", expand(template, "")):
        raise ValueError(f'found "{template}"; accepted: braces only around a placeholder, as in {{{VERSION}}}')
    return template
