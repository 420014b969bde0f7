"""A mail, handed by SMTP to the server that takes the project's mail."""

from __future__ import annotations

import re
import smtplib
import ssl
from contextlib import closing, suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING

from baton.announcers.port import AnnouncerAdapter
from baton.announcers.secrets import secret
from baton.model.announcing import MailSecurity
from baton.model.errors import BatonError, Failed, Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from baton.announcers.message import Message
    from baton.model.announcing import EmailAnnouncer

_TRANSIENT, _PERMANENT = 400, 500
"""From which code on a refusal holds for now, and from which for good (RFC 5321, section 4.2.1)."""

_TIMEOUT = 10
_LONGEST_SUBJECT = 150

# 7 bits, so that no server's abilities matter; unfolded, since folding may tear a message's id apart.
_POLICY = SMTP.clone(cte_type="7bit", max_line_length=998)

_Refusal = tuple[int, bytes]


class EmailAdapter(AnnouncerAdapter):
    """Hands in one mail for all recipients.

    A message sent again has the same ``Message-ID``, by which most mailboxes keep one of the two. Servers' own words
    stay out of errors, since they may repeat what they were sent; their codes say enough.
    """

    def __init__(self, announcer: EmailAnnouncer) -> None:
        """Take note of the server; user and password are read when there is something to tell."""
        self._announcer = announcer

    def tell(self, message: Message) -> None:
        """See :meth:`AnnouncerAdapter.tell`."""
        mail, credentials = self._mail(message), self._credentials()
        try:
            refused = self._hand_in(mail, credentials)
        except OSError as error:
            problem = self._problem(error)
        else:
            if not refused:
                return
            taken = len(self._announcer.recipients) - len(refused)
            problem = Failed(f"{self._server} takes the mail for {taken}, but refuses {_listed(refused)}")
        # Outside of the handler: smtplib's errors repeat what was sent.
        raise problem

    @property
    def _server(self) -> str:
        return f"the mail server {self._announcer.host}:{self._announcer.port}"

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage(policy=_POLICY)
        mail["From"] = self._announcer.sender
        mail["To"] = ", ".join(self._announcer.recipients)
        mail["Subject"] = _subject(message)
        mail["Date"] = datetime.now(UTC)
        mail["Message-ID"] = f"<{message.id}@{self._announcer.sender.partition('@')[2]}>"
        # RFC 3834, section 5: neither vacation notices nor other machines answer.
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(f"{message.whole}\n")
        return mail

    def _credentials(self) -> tuple[str, str] | None:
        user, password = self._announcer.username_from, self._announcer.password_from
        if user is None or password is None:
            return None
        return secret(user, "the mail server's user"), secret(password, "the user's password at the mail server")

    def _hand_in(self, mail: EmailMessage, credentials: tuple[str, str] | None) -> Mapping[str, _Refusal]:
        """The recipients that were refused while others were not.

        Raises:
            OSError: the mail was not taken for anybody; smtplib's errors are OSErrors.
        """
        with closing(self._connected()) as server:
            if self._announcer.security is MailSecurity.STARTTLS:
                server.starttls(context=ssl.create_default_context())
            if credentials is not None:
                server.login(*credentials)
            # Not send_message(), which turns a line's first "From " into ">From ".
            refused = server.sendmail(self._announcer.sender, self._announcer.recipients, mail.as_bytes())
            # A mail that was taken was taken, however the server takes its leave.
            with suppress(OSError):
                server.quit()
            return refused

    def _connected(self) -> smtplib.SMTP:
        host, port = self._announcer.host, self._announcer.port
        if self._announcer.security is MailSecurity.TLS:
            return smtplib.SMTP_SSL(host, port, timeout=_TIMEOUT, context=ssl.create_default_context())
        return smtplib.SMTP(host, port, timeout=_TIMEOUT)

    def _problem(self, error: OSError) -> BatonError:
        match error:
            case smtplib.SMTPRecipientsRefused(recipients=refused):
                for_now = all(_TRANSIENT <= code < _PERMANENT for code, _ in refused.values())
                return (Unavailable if for_now else Failed)(f"{self._server} refuses {_listed(refused)}")
            case smtplib.SMTPAuthenticationError(smtp_code=code, smtp_error=said) if code >= _PERMANENT:
                held = f"{self._announcer.username_from} and {self._announcer.password_from}"
                return Failed(
                    f"{self._server} refuses the user: {_code(code, said)}; look whether what {held} hold is right"
                )
            case smtplib.SMTPResponseException(smtp_code=code, smtp_error=said):
                kind = Failed if code >= _PERMANENT else Unavailable
                return kind(f"{self._server} answers {_code(code, said)}; expected that it takes the mail")
            case smtplib.SMTPServerDisconnected():
                return Unavailable(f"{self._server} ended the connection")
            case smtplib.SMTPException():
                # It offers neither what `security` asks for nor a way to log in that smtplib knows.
                wanted = f"{self._announcer.security}{'' if self._announcer.username_from is None else ' and AUTH'}"
                return Failed(f"{self._server} does not offer what is asked of it; expected {wanted}")
            case ssl.SSLCertVerificationError(verify_message=fact):
                return Failed(f"{self._server} has a certificate that does not count: {fact}")
            case _:
                return Unavailable(f"{self._server} could not be reached: {type(error).__name__}")


def _subject(message: Message) -> str:
    subject = f"[{message.event}] {message.words.splitlines()[0]}"
    return subject if len(subject) <= _LONGEST_SUBJECT else f"{subject[: _LONGEST_SUBJECT - 1]}…"


def _listed(refused: Mapping[str, _Refusal]) -> str:
    return ", ".join(f"{recipient} ({_code(*refusal)})" for recipient, refusal in refused.items())


def _code(code: int, said: bytes | str) -> str:
    """A reply's code, and its enhanced status if it has one (RFC 3463): ``550 5.1.1``."""
    words = said.decode("ascii", errors="replace") if isinstance(said, bytes) else said
    enhanced = re.match(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}\b", words)
    return f"{code} {enhanced[0]}" if enhanced else str(code)
