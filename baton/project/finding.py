"""What `baton check` says of one thing."""

from __future__ import annotations

from enum import StrEnum

from baton.model.base import Value


class Severity(StrEnum):
    """How bad it is: a release can't be made, a release may stop on its way, all is well."""

    ERROR = "error"
    WARNING = "warning"
    OK = "ok"


class Finding(Value):
    """A fact about one thing that a release needs.

    Attributes:
        subject: the thing: a file, a person, a gate, a tool, a credential by its name, a queue.
        message: what was found.
        hint: what to do about it, if anything.
    """

    severity: Severity
    subject: str
    message: str
    hint: str = ""


def error(subject: str, message: str, hint: str = "") -> Finding:
    """Something without which a release can't be made."""
    return Finding(severity=Severity.ERROR, subject=subject, message=message, hint=hint)


def warning(subject: str, message: str, hint: str = "") -> Finding:
    """Something that may stop a release on its way."""
    return Finding(severity=Severity.WARNING, subject=subject, message=message, hint=hint)


def ok(subject: str, message: str) -> Finding:
    """Something that is as it has to be."""
    return Finding(severity=Severity.OK, subject=subject, message=message)
