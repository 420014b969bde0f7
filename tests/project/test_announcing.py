"""Who is told, as `release.toml` says it: nothing secret stands there, and what can't work is found early."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from baton.model.announcing import EmailAnnouncer, Event, LogAnnouncer, MailSecurity, Shape, WebhookAnnouncer
from baton.project.check import check_project
from baton.project.parts import announcer

if TYPE_CHECKING:
    from baton.model.announcing import Announcer
    from tests.project.conftest import Writer

ZULIP = """
[[announcers]]
kind = "webhook"
name = "devs"
shape = "zulip"
url-from = "ZULIP_URL"
token-from = "ZULIP_BOT"
to = "releases"
on = ["waiting", "reminder"]
"""
MAIL = """
[[announcers]]
kind = "email"
name = "list"
host = "mail.spam.example"
sender = "releases@spam.example"
recipients = ["team@spam.example"]
username-from = "MAIL_USER"
password-from = "MAIL_PASSWORD"
"""

SHAPES = '"baton", "slack", "discord", "zulip", "mattermost", "matrix"; did you mean "zulip"?'
ADDRESS = 'a mail address without a name, such as "releases@example.org"'
MACHINE = 'the name or IP address of a machine, such as "mail.example.org"'


def planned(release_toml: Writer, more: str, *, rehearsed: bool = False) -> Announcer:
    (table,) = release_toml.changed(more=more).settings.announcers
    return announcer(table, rehearsed=rehearsed)


def test_a_webhook_comes_into_the_plan_as_it_is_written(release_toml: Writer) -> None:
    assert planned(release_toml, ZULIP) == WebhookAnnouncer(
        name="devs",
        shape=Shape.ZULIP,
        url_from="ZULIP_URL",
        token_from="ZULIP_BOT",  # noqa: S106  # a variable's name
        to="releases",
        on=(Event.WAITING, Event.REMINDER),
    )


@pytest.mark.parametrize(
    ("more", "security", "port"),
    [
        ("", MailSecurity.STARTTLS, 587),
        ('security = "tls"\n', MailSecurity.TLS, 465),
        ('security = "tls"\nport = 4650\n', MailSecurity.TLS, 4650),
    ],
)
def test_a_mail_goes_to_the_usual_port_unless_another_is_named(
    release_toml: Writer, more: str, security: MailSecurity, port: int
) -> None:
    assert planned(release_toml, MAIL + more) == EmailAnnouncer(
        name="list",
        host="mail.spam.example",
        port=port,
        security=security,
        sender="releases@spam.example",
        recipients=("team@spam.example",),
        username_from="MAIL_USER",
        password_from="MAIL_PASSWORD",  # noqa: S106  # a variable's name
    )


@pytest.mark.parametrize("more", [ZULIP, MAIL])
def test_a_rehearsal_tells_the_log_alone(release_toml: Writer, more: str) -> None:
    assert isinstance(planned(release_toml, more, rehearsed=True), LogAnnouncer)


@pytest.mark.parametrize(
    ("right", "wrong", "expected"),
    [
        ('"ZULIP_URL"', '"https://hunter2.example"', "announcers[0].url-from: accepted: the name of an environment"),
        ('"ZULIP_BOT"', '"bot@spam.example:hunter2"', "announcers[0].token-from: accepted: the name of an environment"),
        ('token-from = "ZULIP_BOT"', 'token = "hunter2"', "announcers[0].token: unknown key"),
        ('"MAIL_PASSWORD"', '"hunter2"', "announcers[0].password-from: accepted: the name of an environment variable"),
        ('password-from = "MAIL_PASSWORD"', 'password = "hunter2"', "announcers[0].password: unknown key"),
    ],
)
def test_a_secret_that_is_written_out_is_refused_and_not_repeated(
    release_toml: Writer, right: str, wrong: str, expected: str
) -> None:
    problems = release_toml.problems(more=(ZULIP if right in ZULIP else MAIL).replace(right, wrong))
    assert expected in "\n".join(problems)
    assert "hunter2" not in "\n".join(problems)


@pytest.mark.parametrize(
    ("right", "wrong", "expected"),
    [
        (
            'shape = "zulip"',
            'shape = "zullip"',
            'announcers[0].shape: found "zullip"; accepted: ' + SHAPES,
        ),
        ('to = "releases"\n', "", 'announcers[0].to: required with shape "zulip", but missing'),
        (
            'shape = "zulip"',
            'shape = "matrix"',
            'announcers[0].to: accepted: a room\'s id, which begins with "!" (in Element: Room settings, Advanced)',
        ),
        (
            'to = "releases"',
            'to = "rele\\nases"',
            'announcers[0].to: found "rele\\nases"; accepted: a name without control characters',
        ),
        (
            '["team@spam.example"]',
            '["Team <team@spam.example>"]',
            'announcers[0].recipients[0]: found "Team <team@spam.example>"; accepted: ' + ADDRESS,
        ),
        (
            '"releases@spam.example"',
            '"releases@spam.example\\nBcc: eve@evil.example"',
            'announcers[0].sender: found "releases@spam.example\\nBcc: eve@evil.example"; accepted: ' + ADDRESS,
        ),
        (
            '"mail.spam.example"',
            '"mail.spam.example:587/"',
            'announcers[0].host: found "mail.spam.example:587/"; accepted: ' + MACHINE,
        ),
        (
            'kind = "email"',
            'kind = "email"\nsecurity = "none-on-loopback"',
            "announcers[0].security: mail.spam.example is another machine; accepted: starttls, tls",
        ),
        (
            'password-from = "MAIL_PASSWORD"\n',
            "",
            "announcers[0].password-from: required where there is a user, but missing",
        ),
    ],
)
def test_what_can_not_work_is_told_with_its_place(release_toml: Writer, right: str, wrong: str, expected: str) -> None:
    written = ZULIP if right in ZULIP else MAIL
    (problem,) = release_toml.problems(more=written.replace(right, wrong))
    assert problem.partition(": ")[2] == expected


def test_a_shape_whose_address_says_all_takes_no_token(release_toml: Writer) -> None:
    problems = release_toml.problems(more=ZULIP.replace("zulip", "slack"))
    no_use = 'shape "slack" has no use for it: the address alone says who speaks and where'
    assert [problem.partition(": ")[2] for problem in problems] == [
        f"announcers[0].token-from: {no_use}",
        f"announcers[0].to: {no_use}",
    ]


def test_each_variable_that_is_not_set_is_named_with_its_meaning(release_toml: Writer) -> None:
    project = release_toml.changed(more=ZULIP + MAIL)
    findings = check_project(project, environment={"PATH": "", "MAIL_USER": "hunter2"}, today=date(2026, 11, 1))
    told = {finding.subject: str(finding) for finding in findings}
    assert "not set here: the address of announcer devs" in told["ZULIP_URL"]
    assert "not set here: the token of announcer devs" in told["ZULIP_BOT"]
    assert "not set here: the password of announcer list" in told["MAIL_PASSWORD"]
    assert "set here: the user of announcer list" in told["MAIL_USER"]
    assert "hunter2" not in str(findings)
