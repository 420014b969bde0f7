"""Telling by mail: a real SMTP server takes it, over an encrypted connection or none but loopback's."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from baton.announcers import open_announcer
from baton.announcers.email import EmailAdapter
from baton.model.announcing import EmailAnnouncer, MailSecurity
from baton.model.errors import BatonError, Failed, Invalid, Missing, Unavailable
from tests.announcers.conftest import LINK, SECRET, everything_about, message
from tests.certificates import throw_away_certificate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import EmailMessage
    from pathlib import Path

USER, PASSWORD = "MAIL_USER", "MAIL_PASSWORD"  # variables' names
HEADER = ("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted")
PEOPLE = ("ada@example.org", "grace@example.org")


class Mailbox:
    """What the server took, and what it says to a recipient or a mail that it does not take."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []
        self.refused: dict[str, str] = {}
        self.data = "250 OK"

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, _: Any, __: Any, envelope: Envelope, address: str, ___: Any
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: Any, __: Any, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        if self.data.startswith("250"):
            self.taken.append(envelope)
        return self.data


class Server(Controller):
    def _trigger_server(self) -> None:
        """Called when the server is bound, to connect to it for the first time."""
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # not typed there


def mails(mailbox: Mailbox) -> list[EmailMessage]:
    """What the server took, as mail programs read it."""
    contents = [envelope.content for envelope in mailbox.taken]
    return [message_from_bytes(content, policy=default) for content in contents if isinstance(content, bytes)]


def text_of(mail: EmailMessage) -> str:
    content = mail.get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")


def knows(_: Any, __: Any, ___: Any, ____: Any, said: object) -> AuthResult:
    right = isinstance(said, LoginPassword) and said == LoginPassword(b"baton", SECRET.encode())
    return AuthResult(success=right, handled=False)


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def serve(mailbox: Mailbox) -> Iterator[Callable[..., Server]]:
    started: list[Server] = []

    def serve(**options: Any) -> Server:
        server = Server(mailbox, hostname="127.0.0.1", port=0, **options)
        server.start()
        started.append(server)
        return server

    yield serve
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return throw_away_certificate(tmp_path_factory.mktemp("mail") / "server.pem")


@pytest.fixture
def tls(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """The server's side of a connection that the worker's side trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(USER, "baton")
    monkeypatch.setenv(PASSWORD, SECRET)


def announcer(
    server: Server, security: MailSecurity = MailSecurity.NONE_ON_LOOPBACK, *, login: bool = False
) -> EmailAnnouncer:
    return EmailAnnouncer(
        name="list",
        host="127.0.0.1",
        port=server.port,
        security=security,
        sender="releases@example.org",
        recipients=PEOPLE,
        username_from=USER if login else None,
        password_from=PASSWORD if login else None,
    )


def refusal(announcer: EmailAnnouncer, kind: type[BatonError]) -> str:
    """What the error of telling says; nothing secret, nor the words of the server."""
    with pytest.raises(kind) as raised:
        open_announcer(announcer).tell(message())
    assert type(raised.value) is kind
    shown = everything_about(raised.value)
    assert SECRET not in shown
    assert "echo" not in shown
    return str(raised.value)


def test_a_mail_says_what_happened_and_that_a_machine_wrote_it(serve: Callable[..., Server], mailbox: Mailbox) -> None:
    open_announcer(announcer(serve())).tell(message("hello 1.0.0 waits for Zoë\n.\nFrom here on"))
    (mail,), (envelope,) = mails(mailbox), mailbox.taken
    assert (envelope.mail_from, tuple(envelope.rcpt_tos)) == ("releases@example.org", PEOPLE)
    assert (mail["From"], mail["To"]) == ("releases@example.org", ", ".join(PEOPLE))
    assert mail["Subject"] == "[released] hello 1.0.0 waits for Zoë"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime > datetime.now(UTC) - timedelta(minutes=1)
    assert text_of(mail) == f"hello 1.0.0 waits for Zoë\n.\nFrom here on\n{LINK}\n"


def test_a_mail_sent_again_is_known_by_its_id(serve: Callable[..., Server], mailbox: Mailbox) -> None:
    adapter = open_announcer(announcer(serve()))
    for said in (message(), message(), message(occasion="8")):
        adapter.tell(said)
    first, again, other = [mail["Message-ID"] for mail in mails(mailbox)]
    assert first == again != other
    assert first.endswith("@example.org>")


@settings(max_examples=50)
@given(st.text(max_size=300), st.sampled_from(["", "\r\nBcc: eve@evil.example\r\n\r\n", "\x85", "\u2028"]), st.text())
def test_no_text_reaches_into_the_header(begin: str, middle: str, link: str) -> None:
    adapter = EmailAdapter(
        EmailAnnouncer(
            name="list",
            host="mail",
            port=25,
            sender="releases@" + "a-long-name." * 16 + "example",
            recipients=tuple(f"person-{number}@example.org" for number in range(3)),
        )
    )
    sent = adapter._mail(message(begin + middle + begin, link)).as_bytes()
    mail = message_from_bytes(sent, policy=default)
    assert sorted(mail.keys()) == sorted([*HEADER, "Content-Type", "Content-Transfer-Encoding", "MIME-Version"])
    assert len(mail["To"].addresses) == 3
    assert mail["Message-ID"].endswith(".example>")
    assert all(len(line) <= 998 for line in sent.split(b"\r\n"))
    assert sent.isascii()
    assert text_of(mail) == message(begin + middle + begin, link).whole + "\n"


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("security", [MailSecurity.STARTTLS, MailSecurity.TLS])
def test_a_mail_goes_by_an_encrypted_connection_from_a_known_user(
    serve: Callable[..., Server], mailbox: Mailbox, tls: ssl.SSLContext, security: MailSecurity
) -> None:
    encryption: dict[str, Any] = (
        {"ssl_context": tls, "auth_require_tls": False}
        if security is MailSecurity.TLS
        else {"tls_context": tls, "require_starttls": True}
    )
    server = serve(authenticator=knows, auth_required=True, **encryption)
    open_announcer(announcer(server, security, login=True)).tell(message())
    (mail,) = mails(mailbox)
    assert mail["Subject"] == "[released] hello 1.0.0 is out"


def test_a_wrong_password_is_for_a_person_to_mend(
    serve: Callable[..., Server], tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSWORD, f"{SECRET}-old")
    server = serve(authenticator=knows, auth_required=True, tls_context=tls)
    told = refusal(announcer(server, MailSecurity.STARTTLS, login=True), Failed)
    assert told == (
        f"the mail server 127.0.0.1:{server.port} refuses the user: 535 5.7.8; "
        f"look whether what {USER} and {PASSWORD} hold is right"
    )


def test_a_server_without_encryption_is_told_nothing(serve: Callable[..., Server], mailbox: Mailbox) -> None:
    server = serve(authenticator=knows, auth_require_tls=False)
    told = refusal(announcer(server, MailSecurity.STARTTLS, login=True), Failed)
    assert told.endswith("does not offer what is asked of it; expected starttls and AUTH")
    assert not mailbox.taken


def test_a_server_that_knows_no_users_is_told_nothing(serve: Callable[..., Server], mailbox: Mailbox) -> None:
    assert "does not offer" in refusal(announcer(serve(), login=True), Failed)
    assert not mailbox.taken


@pytest.mark.parametrize("security", [MailSecurity.STARTTLS, MailSecurity.TLS])
def test_a_server_that_can_not_prove_its_name_is_told_nothing(
    serve: Callable[..., Server],
    mailbox: Mailbox,
    tls: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
    security: MailSecurity,
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    server = serve(**{"ssl_context" if security is MailSecurity.TLS else "tls_context": tls})
    told = refusal(announcer(server, security), Failed)
    assert told.endswith("has a certificate that does not count: self-signed certificate")
    assert not mailbox.taken


@pytest.mark.parametrize(
    ("refused", "kind", "told"),
    [
        (
            {PEOPLE[0]: "550 5.1.1 echo"},
            Failed,
            "takes the mail for 1, but refuses ada@example.org (550 5.1.1)",
        ),
        (dict.fromkeys(PEOPLE, "550 echo"), Failed, "refuses ada@example.org (550), grace@example.org (550)"),
        (
            dict.fromkeys(PEOPLE, "451 4.3.2 echo"),
            Unavailable,
            "refuses ada@example.org (451 4.3.2), grace@example.org (451 4.3.2)",
        ),
    ],
)
def test_refused_recipients_are_named(
    serve: Callable[..., Server],
    mailbox: Mailbox,
    refused: dict[str, str],
    kind: type[BatonError],
    told: str,
) -> None:
    mailbox.refused = refused
    assert refusal(announcer(serve()), kind).endswith(told)
    assert len(mailbox.taken) == (len(refused) < len(PEOPLE))


@pytest.mark.parametrize(
    ("reply", "kind", "told"),
    [("554 5.7.1 echo", Failed, "answers 554 5.7.1;"), ("452 4.2.2 echo", Unavailable, "answers 452 4.2.2;")],
)
def test_a_refused_mail_says_whether_another_try_may_help(
    serve: Callable[..., Server], mailbox: Mailbox, reply: str, kind: type[BatonError], told: str
) -> None:
    mailbox.data = reply
    assert told in refusal(announcer(serve()), kind)


def test_nobody_listening_is_worth_another_try(serve: Callable[..., Server]) -> None:
    nobody = announcer(serve()).model_copy(update={"port": 1})
    assert "could not be reached: ConnectionRefusedError" in refusal(nobody, Unavailable)


def test_a_missing_or_unusable_password_is_named(serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve()
    monkeypatch.setenv(PASSWORD, f"{SECRET}é")
    assert PASSWORD in refusal(announcer(server, login=True), Invalid)
    monkeypatch.delenv(PASSWORD)
    assert PASSWORD in refusal(announcer(server, login=True), Missing)


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        ({"sender": "Ada <ada@example.org>"}, "sender"),
        ({"recipients": ["ada@example.org\nBcc: eve@evil.example"]}, "recipients"),
        ({"recipients": ['"a b"@example.org']}, "recipients"),
        ({"recipients": []}, "recipients"),
        ({"recipients": ["ada@example..org"]}, "recipients"),
        ({"host": "mail.example.org\r\n"}, "host"),
        ({"host": "-mail"}, "host"),
        ({"security": "none-on-loopback"}, "security: mail.example.org is another machine"),
        ({"username_from": "USER"}, "password_from: required"),
        ({"password_from": "PASSWORD"}, "username_from: required"),
        ({"password_from": "hunter2!"}, "password_from"),
    ],
)
def test_a_mail_that_can_not_be_sent_safely_is_no_part_of_a_plan(change: dict[str, Any], fact: str) -> None:
    usable = {"name": "list", "host": "mail.example.org", "port": 587}
    usable |= {"sender": "releases@example.org", "recipients": PEOPLE}
    EmailAnnouncer.model_validate(usable)
    with pytest.raises(ValidationError, match=fact):
        EmailAnnouncer.model_validate(usable | change)
