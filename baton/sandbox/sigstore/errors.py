"""What a service answers when it will not do what it was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable

_Model = TypeVar("_Model")


class ApiError(Exception):
    """A request was refused.

    Attributes:
        status: the HTTP status to answer with.
        message: why, for the caller. Never repeats a token or a secret.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class OAuthError(Exception):
    """A request to the issuer was refused, in the terms of RFC 6749.

    Attributes:
        code: the ``error`` code of RFC 6749 sections 4.1.2.1 and 5.2, such as ``invalid_grant``.
        description: why, for the caller. Never repeats a code, a verifier or a secret.
    """

    def __init__(self, code: str, description: str) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
        self.description = description

    @property
    def status(self) -> int:
        """The HTTP status: 401 for a client that did not prove who it is, otherwise 400 (RFC 6749 section 5.2)."""
        return 401 if self.code == "invalid_client" else 400


def faults(error: ValidationError) -> str:
    """What pydantic found wrong, in one line and without the values, which may be secret."""
    return "; ".join(
        f"{'.'.join(map(str, fault['loc'])) or 'body'}: {fault['msg']}"
        for fault in error.errors(include_input=False, include_url=False)
    )


def parsed(parse: Callable[[bytes], _Model], body: bytes) -> _Model:
    """What ``parse`` makes of a request's body.

    Raises:
        ApiError: 400, the body is not what the model asks for.
    """
    try:
        return parse(body)
    except ValidationError as error:
        raise ApiError(400, f"malformed request: {faults(error)}") from error
