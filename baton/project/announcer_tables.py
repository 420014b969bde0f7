"""The tables of `release.toml` that say who is told, and how."""

from typing import Annotated, Literal

from pydantic import Field, Strict

from baton.model.announcing import Conversation, Event, HostName, MailAddress, MailSecurity, Shape
from baton.model.base import EnvName, Name
from baton.project.fields import Table


class _AnnouncerTable(Table):
    name: Name
    """The announcer's name in the log."""

    on: tuple[Annotated[Event, Strict(strict=False)], ...] = Field(default=tuple(Event), min_length=1, max_length=10)
    """What people are told about."""


class LogAnnouncerTable(_AnnouncerTable):
    """Tells people by a line in the worker's log."""

    kind: Literal["log"]
    """How people are told."""


class WebhookAnnouncerTable(_AnnouncerTable):
    """Tells people by a message to a chat service, or by a JSON message to a web address."""

    kind: Literal["webhook"]
    """How people are told."""

    shape: Annotated[Shape, Strict(strict=False)] = Field(default="baton", validate_default=True)
    """Whose message it is: a chat service's, or `baton` for a plain JSON message."""

    url_from: EnvName = Field(alias="url-from")
    """The environment variable of the worker that holds the address, which is a secret and doesn't belong here: the
    webhook's; the organization's for `zulip`; the homeserver's for `matrix`."""

    token_from: EnvName | None = Field(default=None, alias="token-from")
    """The environment variable of the worker that holds who speaks; for `zulip` and `matrix`, which need it:
    `BOT_EMAIL:API_KEY` there, an access token here."""

    to: Conversation | None = None
    """Where to speak; for `zulip` and `matrix`, which need it: the channel there, the room's id here."""


class EmailAnnouncerTable(_AnnouncerTable):
    """Tells people by mail."""

    kind: Literal["email"]
    """How people are told."""

    host: HostName
    """The server that takes the project's mail."""

    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Where it listens; by default 587 with `starttls`, 465 with `tls`, 25 with `none-on-loopback`."""

    security: Annotated[MailSecurity, Strict(strict=False)] = Field(default="starttls", validate_default=True)
    """How the connection is protected; without protection only to a server on the worker's own machine."""

    sender: MailAddress
    """Whom the mail is from."""

    recipients: tuple[MailAddress, ...] = Field(min_length=1, max_length=50)
    """Whom it goes to: plain addresses, without names."""

    username_from: EnvName | None = Field(default=None, alias="username-from")
    """The environment variable of the worker that holds the user whom the server knows, if it asks for one."""

    password_from: EnvName | None = Field(default=None, alias="password-from")
    """The environment variable of the worker that holds the user's password."""


AnnouncerTable = Annotated[LogAnnouncerTable | WebhookAnnouncerTable | EmailAnnouncerTable, Field(discriminator="kind")]
