"""Who is told about a release, of what, and by which channel."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from baton.model.base import EnvName, Name, Value

if TYPE_CHECKING:
    from collections.abc import Iterator


class Event(StrEnum):
    """What people are told about.

    A release waits for somebody; it has waited for too long; it is public; it was given up. What was public before has
    new signatures.
    """

    WAITING = "waiting"
    REMINDER = "reminder"
    RELEASED = "released"
    CANCELLED = "cancelled"
    RESIGNED = "re-signed"


class LogAnnouncer(Value):
    """A line in the worker's log."""

    kind: Literal["log"] = "log"
    name: Name
    on: tuple[Event, ...] = tuple(Event)


class Shape(StrEnum):
    """Whose words a webhook understands: Baton's own, or those of a chat service."""

    BATON = "baton"
    SLACK = "slack"
    DISCORD = "discord"
    ZULIP = "zulip"
    MATTERMOST = "mattermost"
    MATRIX = "matrix"

    @property
    def wants_token(self) -> bool:
        """Whether the service is told who speaks and where to; of the others the address alone says both."""
        return self in (Shape.ZULIP, Shape.MATRIX)


Conversation = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=255)]
"""A chat service's name for a place to speak in."""


class WebhookAnnouncer(Value):
    """A message sent by HTTP to a chat service, or to whatever reads Baton's own JSON.

    Attributes:
        shape: whose.
        url_from: the environment variable with the address; that of a webhook is a secret. For Zulip the organization's
            address, for Matrix the homeserver's.
        token_from: the environment variable with what proves who speaks: for Zulip ``BOT_EMAIL:API_KEY``, for Matrix an
            access token.
        to: the channel of Zulip, or the room's id of Matrix.
    """

    kind: Literal["webhook"] = "webhook"
    name: Name
    shape: Shape = Shape.BATON
    url_from: EnvName
    token_from: EnvName | None = None
    to: Conversation | None = None
    on: tuple[Event, ...] = tuple(Event)

    @model_validator(mode="after")
    def _has_what_its_shape_wants(self) -> Self:
        for field, fact in webhook_misfits(self.shape, token_from=self.token_from, to=self.to):
            raise ValueError(f"{field}: {fact}")
        return self


def webhook_misfits(shape: Shape, *, token_from: str | None, to: str | None) -> Iterator[tuple[str, str]]:
    """What a webhook has that its shape does not use, or lacks that it needs: the field, and the fact."""
    for field, value in (("token_from", token_from), ("to", to)):
        if shape.wants_token and value is None:
            yield field, f'required with shape "{shape}", but missing'
        if not shape.wants_token and value is not None:
            yield field, f'shape "{shape}" has no use for it: the address alone says who speaks and where'
    if shape is Shape.MATRIX and to is not None and not to.startswith("!"):
        yield "to", 'accepted: a room\'s id, which begins with "!" (in Element: Room settings, Advanced)'


class MailSecurity(StrEnum):
    """How a connection to a mail server is protected; without protection it may not leave the machine."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE_ON_LOOPBACK = "none-on-loopback"

    @property
    def usual_port(self) -> int:
        """The port that mail is handed in at by this protection (RFC 6409, RFC 8314; RFC 5321 for none)."""
        return {MailSecurity.STARTTLS: 587, MailSecurity.TLS: 465, MailSecurity.NONE_ON_LOOPBACK: 25}[self]


MAIL_ADDRESS = (
    r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$"
)
"""What HTML's ``<input type=email>`` takes: https://html.spec.whatwg.org/#valid-e-mail-address."""

MailAddress = Annotated[str, StringConstraints(pattern=MAIL_ADDRESS, max_length=254)]
"""A mail address by itself: no display name, no quotes, nothing that could end a header."""

HostName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9:]([A-Za-z0-9.:-]*[A-Za-z0-9])?$", max_length=253)]
"""The name or IP address of a machine."""


class EmailAnnouncer(Value):
    """A mail, handed to a server by SMTP.

    Attributes:
        host: the server that takes mail for anywhere.
        port: where it listens.
        security: how the connection to it is protected.
        sender: whom the mail is from; refusals by others' servers come back there.
        recipients: whom it goes to; each sees the others.
        username_from: the environment variable with the user that the server knows, if it asks for one.
        password_from: the environment variable with the user's password.
    """

    kind: Literal["email"] = "email"
    name: Name
    host: HostName
    port: Annotated[int, Field(ge=1, le=65535)]
    security: MailSecurity = MailSecurity.STARTTLS
    sender: MailAddress
    recipients: tuple[MailAddress, ...] = Field(min_length=1, max_length=50)
    username_from: EnvName | None = None
    password_from: EnvName | None = None
    on: tuple[Event, ...] = tuple(Event)

    @model_validator(mode="after")
    def _is_safe_and_whole(self) -> Self:
        credentials = {"username_from": self.username_from, "password_from": self.password_from}
        for field, fact in email_misfits(self.security, self.host, **credentials):
            raise ValueError(f"{field}: {fact}")
        return self


def email_misfits(
    security: MailSecurity, host: str, *, username_from: str | None, password_from: str | None
) -> Iterator[tuple[str, str]]:
    """What can't be together in the way to a mail server: the field, and the fact."""
    if security is MailSecurity.NONE_ON_LOOPBACK and not is_loopback(host):
        yield "security", f"{host} is another machine; accepted: starttls, tls"
    if username_from is not None and password_from is None:
        yield "password_from", "required where there is a user, but missing"
    if password_from is not None and username_from is None:
        yield "username_from", "required where there is a password, but missing"


def is_loopback(host: str) -> bool:
    """Whether a name or IP address stays on the machine; of names, ``localhost`` alone does (RFC 6761, section 6.3)."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


Announcer = Annotated[LogAnnouncer | WebhookAnnouncer | EmailAnnouncer, Field(discriminator="kind")]
"""Who is told, and how."""
