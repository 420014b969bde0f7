from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol, TypeVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from temporalio.testing import ActivityEnvironment

from activities.work import Progress, _progress
from baton.model.code_signing import Authenticode, CodeSigner, OsslSignCode, Pkcs12Key, PlatformStep
from baton.model.version import ReleaseId
from baton.model.work import ReleaseRef
from baton.sandbox.fake_ci.serving import served
from baton.sandbox.sigstore.clock import utc_now
from baton.sandbox.sigstore.keys import KeyFolder
from baton.sandbox.sigstore.tsa import TimestampAuthority
from baton.settings import WorkerSettings
from baton.store import LocalStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.requests import Request

    from baton.store import Store

Argument = TypeVar("Argument")
Result = TypeVar("Result")

PASSPHRASE = "correct horse battery staple"  # noqa: S105  # of a key that the tests make
VARIABLE = "CODE_PASSPHRASE"
SUBJECT = "CN=Hello Publisher,O=Example"


def portable_executable(body: bytes = b"hello") -> bytes:
    """The smallest program for 64-bit Windows that tools take for one: headers and one section."""
    dos = (b"MZ" + bytes(58) + struct.pack("<I", 0x80)).ljust(0x80, b"\0")
    coff = struct.pack("<4sHHIIIHH", b"PE\0\0", 0x8664, 1, 0, 0, 0, 240, 0x22)
    sizes = (0x200, 0, 0, 0x1000, 0x1000, 0x140000000, 0x1000, 0x200)
    versions = (6, 0, 0, 0, 6, 0, 0, 0x2000, 0x200, 0, 3, 0x8160)
    memory = (0x100000, 0x1000, 0x100000, 0x1000, 0, 16)
    optional = struct.pack("<HBBIIIIIQIIHHHHHHIIIIHHQQQQII", 0x20B, 14, 0, *sizes, *versions, *memory)
    section = struct.pack("<8sIIIIIIHHI", b".text", 0x1000, 0x1000, 0x200, 0x200, 0, 0, 0, 0, 0x60000020)
    headers = (dos + coff + optional + bytes(16 * 8) + section).ljust(0x200, b"\0")
    return headers + body.ljust(0x200, b"\x90")


@dataclass(frozen=True)
class Publisher:
    """An authority for code signing and whom it has given a certificate, thrown away after the tests."""

    roots: str
    thumbprint: str
    pkcs12: Path


def _certificate(
    name: str, key: rsa.RSAPrivateKey, issuer: str, issuer_key: rsa.RSAPrivateKey, *, authority: bool
) -> x509.Certificate:
    def named(common: str) -> x509.Name:
        return x509.Name(
            [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example"), x509.NameAttribute(NameOID.COMMON_NAME, common)]
        )

    builder = (
        x509.CertificateBuilder(named(issuer), named(name), key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if not authority:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def make_publisher(folder: Path, name: str) -> Publisher:
    authority, key = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
    root = _certificate("Hello Root", authority, "Hello Root", authority, authority=True)
    leaf = _certificate(name, key, "Hello Root", authority, authority=False)
    file = folder / "key.p12"
    encryption = BestAvailableEncryption(PASSPHRASE.encode())
    file.write_bytes(pkcs12.serialize_key_and_certificates(b"key", key, leaf, [root], encryption))
    file.chmod(0o600)
    return Publisher(root.public_bytes(Encoding.PEM).decode(), leaf.fingerprint(hashes.SHA256()).hex(), file)


@pytest.fixture(scope="session")
def publisher(tmp_path_factory: pytest.TempPathFactory) -> Publisher:
    return make_publisher(tmp_path_factory.mktemp("publisher"), "Hello Publisher")


@dataclass
class Timestamps:
    """A timestamp authority that answers."""

    url: str
    root: str
    asked: int = 0
    status: int = 200


@pytest.fixture(scope="session")
def _timestamps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Timestamps]:
    authority = TimestampAuthority(KeyFolder(tmp_path_factory.mktemp("tsa")), utc_now)

    async def respond(request: Request) -> Response:
        made.asked += 1
        content = authority.respond(await request.body()) if made.status == 200 else b"out of order"
        return Response(content, made.status, media_type="application/timestamp-reply")

    with served(Starlette(routes=[Route("/", respond, methods=["POST"])])) as url:
        made = Timestamps(url, authority.root.certificate.public_bytes(Encoding.PEM).decode())
        yield made


@pytest.fixture
def timestamps(_timestamps: Timestamps) -> Timestamps:
    _timestamps.asked, _timestamps.status = 0, 200
    return _timestamps


@pytest.fixture
def signing(publisher: Publisher, timestamps: Timestamps, monkeypatch: pytest.MonkeyPatch) -> Authenticode:
    """An Authenticode signing that works here."""
    monkeypatch.setenv("CODE_KEY", str(publisher.pkcs12))
    monkeypatch.setenv("CODE_PASSPHRASE", PASSPHRASE)
    return Authenticode(
        tool=OsslSignCode(key=Pkcs12Key(file_from="CODE_KEY", passphrase_from=VARIABLE)),
        signer=CodeSigner(subject=SUBJECT, roots=publisher.roots, timestamp_roots=timestamps.root),
        timestamp_url=timestamps.url,
    )


@pytest.fixture
def step(signing: Authenticode) -> PlatformStep:
    return PlatformStep(
        name="windows-signed", of="windows", signing=signing, files=("hello.exe",), queue="sign-windows"
    )


RELEASE = ReleaseRef(
    release=ReleaseId(project="hello", version="1.0.0"), run="run-1", plan="sha256:" + "e" * 64, sandbox=True
)


@pytest.fixture
def release() -> ReleaseRef:
    return RELEASE


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return LocalStore(tmp_path / "store")


@pytest.fixture
def settings(tmp_path: Path) -> WorkerSettings:
    return WorkerSettings(store=str(tmp_path / "store"), workspace=tmp_path / "work")


class Working:
    """Runs an activity as a worker does, but for the server."""

    def __init__(self) -> None:
        self.environment = ActivityEnvironment()
        self.told: Callable[[str], None] = lambda _: None

    def __call__(self, method: Callable[[Argument], Result], what: Argument) -> Result:
        said = Telling(self.told)

        def work(argument: Argument) -> Result:
            token = _progress.set(said)
            try:
                return method(argument)
            finally:
                _progress.reset(token)

        return self.environment.run(work, what)


class Telling(Progress):
    """Progress that a test listens to."""

    def __init__(self, told: Callable[[str], None]) -> None:
        super().__init__()
        self._told = told

    def __call__(self, line: str) -> None:
        super().__call__(line)
        self._told(line)


@pytest.fixture
def working() -> Working:
    return Working()


class StandIn(Protocol):
    """Puts a shell script in the place of a program that only another operating system has."""

    def __call__(self, program: str, script: str) -> None: ...


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def put(program: str, script: str) -> None:
        (folder / program).write_text(f"#!/bin/sh\n{script}\n")
        (folder / program).chmod(0o755)

    return put
