from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from baton.model.code_signing import AppleCodeSigning, Authenticode, Notarization
from baton.project.certificate_files import LARGEST
from baton.project.resolve import resolve
from tests.project.conftest import certificate
from tests.project.test_resolve import COMMIT, SANDBOX

if TYPE_CHECKING:
    from tests.project.conftest import Writer

MACOS = """
[[platform-signing]]
name = "signed"
of = "source"
files = ["spam-{version}.tar.gz"]
queue = "sign-macos"
signing = { kind = "apple-codesign", identity = "Developer ID Application: Spam (ABCDE12345)" }

[[platform-signing]]
name = "notarized"
of = "signed"
files = ["spam-{version}.tar.gz"]
queue = "sign-macos"
timeout = "6h"

[platform-signing.signing]
kind = "notarize"
issuer = "01234567-89ab-cdef-0123-456789abcdef"
key-id = "ABCDE12345"
key-from = "NOTARY_KEY"
"""

WINDOWS = """
[[platform-signing]]
name = "signed"
of = "source"
files = ["spam-{version}.tar.gz"]
queue = "sign-windows"

[platform-signing.signing]
kind = "authenticode"
timestamp-url = "http://timestamp.example.org"
tool = { kind = "osslsigncode", key = { kind = "pkcs12", file-from = "CODE_KEY" } }
signer = { subject = "CN=Spam", roots = "code.pem", timestamp-roots = "time.pem" }
"""


@pytest.fixture
def authorities(release_toml: Writer) -> tuple[str, str]:
    """The certificates in the files that the examples name, with a remark in one, as bundles have them."""
    code, time = certificate("code") + certificate("another"), certificate("time")
    (release_toml.folder / "code.pem").write_text(f"# Code signing\n{code}", encoding="ascii")
    (release_toml.folder / "time.pem").write_text(time, encoding="ascii")
    return code, time


def test_the_plan_has_the_signing_with_the_certificates_that_it_is_judged_by(
    release_toml: Writer, authorities: tuple[str, str]
) -> None:
    project = release_toml.changed(more=WINDOWS)

    (step,) = resolve(project, "3.13.1", COMMIT, started_by="ada", sandbox=None).platform

    assert (step.name, step.of, step.files, step.queue) == ("signed", "source", ("spam-3.13.1.tar.gz",), "sign-windows")
    assert isinstance(step.signing, Authenticode)
    assert (step.signing.signer.roots, step.signing.signer.timestamp_roots) == authorities


def test_apples_signing_names_the_team_of_its_certificate_and_notarization_follows_it(release_toml: Writer) -> None:
    project = release_toml.changed(more=MACOS)

    signed, notarized = resolve(project, "3.13.1", COMMIT, started_by="ada", sandbox=None).platform

    assert isinstance(signed.signing, AppleCodeSigning)
    assert signed.signing.team == "ABCDE12345"
    assert isinstance(notarized.signing, Notarization)
    assert (notarized.of, notarized.timeout, notarized.signing.queue) == ("signed", 6 * 3600, "sign")


def test_a_rehearsal_leaves_it_out(release_toml: Writer) -> None:
    project = release_toml.changed(more=MACOS)

    assert resolve(project, "3.13.1", COMMIT, started_by="ada", sandbox=SANDBOX).platform == ()


def test_it_may_be_meant_for_some_releases_only(release_toml: Writer) -> None:
    chosen = MACOS.replace('queue = "sign-macos"', 'queue = "sign-macos"\nkinds = ["final"]')
    project = release_toml.changed(more=chosen)

    plans = [resolve(project, version, COMMIT, started_by="ada", sandbox=None) for version in ("3.13.1", "3.14.0a1")]

    assert [len(plan.platform) for plan in plans] == [2, 0]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('of = "source"', 'of = "sources"', 'of: found "sources"; accepted in alpha releases of stream 3.13: source'),
        ('of = "signed"', 'of = "source"', 'of: found "source" a second time; name the signing that stands before'),
        ('of = "source"', 'of = "notarized"', 'of: found "notarized"; accepted in'),
        ('name = "signed"', 'name = "source"', 'name: found "source", which is the name of another step'),
        ('name = "notarized"', 'name = "manifest"', "which is a name of Baton's own work; take another"),
        ('["spam-{version}.tar.gz"]', '["spam-{version}.zip"]', 'files[0]: found "spam-{version}.zip", which source'),
        ('queue = "sign-macos"', 'queue = "sign-macos"\nrole = "spy"', 'role: found "spy", which nobody holds'),
        (
            'queue = "sign-macos"',
            'queue = "sign-macos"\nstreams = ["2"]',
            'streams[0]: found "2"; accepted: 3.13, 3.14',
        ),
        ("(ABCDE12345)", "", 'accepted: the name of a certificate, such as "Developer ID'),
        ('key-id = "ABCDE12345"', "", "signing.key-id: required, but missing. The key's id."),
        ('kind = "notarize"', 'kind = "notarise"', 'accepted: "apple-codesign", "authenticode", "notarize"'),
    ],
)
def test_what_can_not_be_signed_so_is_told(release_toml: Writer, old: str, new: str, expected: str) -> None:
    assert old in MACOS

    problems = release_toml.problems(more=MACOS.replace(old, new, 1))

    assert expected in "\n".join(problems)


def test_one_step_notarizes_no_more_files_than_the_service_is_asked_about_at_once(release_toml: Writer) -> None:
    files = [f"spam-{{version}}-{number}.pkg" for number in range(21)]
    before, _, notarization = MACOS.rpartition('["spam-{version}.tar.gz"]')

    problems = release_toml.problems(more=f"{before}{files}{notarization}")

    assert "found 21 files to notarize; accepted: 20 or fewer" in "\n".join(problems)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "it can't be read: No such file or directory"),
        (b"-----BEGIN PRIVATE KEY-----\n", "it holds a private key; take it away from here"),
        (b"x" * (LARGEST + 1), "it has more than 40,000 bytes"),
        (b"\x30\x82", "accepted: certificates in PEM form"),
        (b"-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n", "accepted: certificates in PEM form"),
    ],
    ids=["missing", "private", "large", "binary", "empty"],
)
def test_what_is_no_certificate_is_told_with_its_line(
    release_toml: Writer, authorities: tuple[str, str], content: bytes | None, expected: str
) -> None:
    assert authorities
    (release_toml.folder / "time.pem").unlink()
    if content is not None:
        (release_toml.folder / "time.pem").write_bytes(content)

    (problem,) = release_toml.problems(more=WINDOWS)

    assert 'platform-signing[0].signing.signer.timestamp-roots: found "time.pem"; ' in problem
    assert expected in problem
