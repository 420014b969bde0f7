"""How a platform's signature is made: with which tool and key, and whose it has to be in the end."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from baton.model.base import EnvName, FileName, Name, Value
from baton.model.building import Seconds

Pem = Annotated[
    str,
    StringConstraints(pattern=r"(?s)^-----BEGIN CERTIFICATE-----\n.*-----END CERTIFICATE-----\n?$", max_length=40_000),
]
"""Certificates in PEM form (RFC 7468), one after the other."""

_ATTRIBUTE = r"(token|manufacturer|model|serial|object|id|type|slot-id)=[A-Za-z0-9%._-]+"
PKCS11_URI = rf"^pkcs11:{_ATTRIBUTE}(;{_ATTRIBUTE})*$"

Address = Annotated[
    str,
    StringConstraints(
        pattern=r"^(https://[A-Za-z0-9.-]+|http://(127\.0\.0\.1|localhost))(:[0-9]{1,5})?(/[A-Za-z0-9._-]+)*$",
        max_length=300,
    ),
]
"""An address of a service, without a slash at its end; plain HTTP on this machine only."""

Subject = Annotated[str, StringConstraints(min_length=3, max_length=500)]
"""The whole subject of a certificate as RFC 4514 writes it."""

Thumbprint = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""The SHA-256 of a certificate."""

WindowsThumbprint = Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{40}$")]
"""The SHA-1 of a certificate, by which Windows names it."""

Pkcs11Uri = Annotated[str, StringConstraints(pattern=PKCS11_URI, max_length=300)]
"""A key in a token (RFC 7512), without a PIN."""

Account = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{3,24}$")]
"""The name of an Azure Artifact Signing account."""

Profile = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{3,100}$")]
"""The name of a certificate profile of such an account."""

TimestampUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^\s@]+$", max_length=300)]
"""The address of a timestamp authority (RFC 3161)."""

Description = Annotated[str, StringConstraints(pattern=r"^[ -~]*$", max_length=200)]
"""What Windows shows of a program."""

DeveloperId = Annotated[
    str, StringConstraints(pattern=r"^Developer ID (Application|Installer): .+ \([A-Z0-9]{10}\)$", max_length=200)
]
"""The name of a certificate that Apple issued to a team, whose id stands at its end."""

AppleId = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{10}$")]
"""Apple's id of a team or of a key."""

IssuerId = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F-]{36}$")]
"""The issuer id of a team's keys for the App Store Connect API."""


class CodeSigner(Value):
    """Whose signature a file has to carry.

    Attributes:
        subject: the signing certificate's whole subject as RFC 4514 writes it: the last attribute first, and those
            that have no short name there by their number.
        thumbprint: the SHA-256 of the certificate in lower-case hexadecimal digits, where one certificate is meant.
            Azure Artifact Signing makes a certificate a day, so none can be named for it.
        roots: the authorities that the certificate may come from.
        timestamp_roots: the authorities that the timestamp's certificate may come from.
    """

    subject: Subject
    thumbprint: Thumbprint | None = None
    roots: Pem
    timestamp_roots: Pem


class Pkcs12Key(Value):
    """A key and its certificates in a PKCS #12 file (RFC 7292) of the worker.

    Attributes:
        file_from: the environment variable that names the file.
        passphrase_from: the environment variable with its passphrase, or with ``_FILE`` appended, with the path of a
            file that begins with it. None if the file has no passphrase.
    """

    kind: Literal["pkcs12"] = "pkcs12"
    file_from: EnvName
    passphrase_from: EnvName | None = None


class Pkcs11Key(Value):
    """A key in a token, such as a hardware security module, that the worker reaches by PKCS #11.

    The worker needs OpenSSL's engine for it, Debian's ``libengine-pkcs11-openssl``.

    Attributes:
        module_from: the environment variable that names the token's library.
        key: which key (RFC 7512), without a PIN in it.
        certificates_from: the environment variable that names the PEM file with the certificate and its chain.
        pin_from: the environment variable with the PIN, or with ``_FILE`` appended, with the path of a file that begins
            with it.
    """

    kind: Literal["pkcs11"] = "pkcs11"
    module_from: EnvName
    key: Pkcs11Uri
    certificates_from: EnvName
    pin_from: EnvName


class OsslSignCode(Value):
    """``osslsigncode`` on a worker that runs Linux or macOS."""

    kind: Literal["osslsigncode"] = "osslsigncode"
    key: Annotated[Pkcs12Key | Pkcs11Key, Field(discriminator="kind")]


class SignTool(Value):
    """``signtool`` of the Windows SDK, with a key of the worker's certificate store.

    A key file is not offered: signtool takes its passphrase on the command line, where every process sees it.

    Attributes:
        certificate: the SHA-1 thumbprint by which Windows names the certificate, in hexadecimal digits.
        machine: whether it is in the machine's store and not in the user's.
    """

    kind: Literal["signtool"] = "signtool"
    certificate: WindowsThumbprint
    machine: bool = False


class ArtifactSigning(Value):
    """Azure Artifact Signing, which was called Trusted Signing, through signtool and Microsoft's client library.

    The worker signs in as Azure's ``DefaultAzureCredential`` does, by its own environment or managed identity.

    Attributes:
        endpoint: the region's, such as ``https://weu.codesigning.azure.net``.
        account: the Artifact Signing account.
        profile: its certificate profile.
        library_from: the environment variable that names ``Azure.CodeSigning.Dlib.dll``, 64 bits.
    """

    kind: Literal["artifact-signing"] = "artifact-signing"
    endpoint: Address
    account: Account
    profile: Profile
    library_from: EnvName


class Authenticode(Value):
    """An Authenticode signature with a timestamp (RFC 3161) in each file; they have to be Portable Executables.

    Attributes:
        timestamp_url: the timestamp authority. What it says is signed, so plain HTTP is usual and harmless.
        description: what Windows shows when it asks whether to run the program.
    """

    kind: Literal["authenticode"] = "authenticode"
    tool: Annotated[OsslSignCode | SignTool | ArtifactSigning, Field(discriminator="kind")]
    signer: CodeSigner
    timestamp_url: TimestampUrl
    description: Description = ""


class AppleCodeSigning(Value):
    """Apple's signature in each file, by Apple's own tools on a worker that runs macOS.

    An installer package (``.pkg``) is signed by ``productsign``, everything else by ``codesign``; the two need
    certificates of two kinds, and so two steps.

    Attributes:
        identity: the name of the certificate, such as ``Developer ID Installer: Example (ABCDE12345)``.
        team: the team id that the signature has to carry.
        keychain_from: the environment variable that names the keychain, unlocked; the default search list if None.
    """

    kind: Literal["apple-codesign"] = "apple-codesign"
    identity: DeveloperId
    team: AppleId
    keychain_from: EnvName | None = None

    @model_validator(mode="after")
    def _of_one_team(self) -> Self:
        if not self.identity.endswith(f"({self.team})"):
            raise ValueError(f"the identity {self.identity!r} is not of the team {self.team}")
        return self


class Notarization(Value):
    """Apple's notary service looks through each file and issues a ticket, which is stapled to the file.

    Attributes:
        issuer: the issuer id of the team's key for the App Store Connect API.
        key_id: the key's id.
        key_from: the environment variable with the private key in PEM form (the ``.p8`` file's content), or with
            ``_FILE`` appended, with the path of that file.
        queue: the workers that hold the key; they submit and wait, on any operating system.
        staple: whether tickets are stapled, on the step's own queue: to ``.pkg`` and ``.dmg``, as others have no place
            for one.
        api: the service's address.
        upload: the address of the Amazon S3 that files are uploaded to; Amazon's own if None.
    """

    kind: Literal["notarize"] = "notarize"
    issuer: IssuerId
    key_id: AppleId
    key_from: EnvName
    queue: Name = "sign"
    staple: bool = True
    api: Address = "https://appstoreconnect.apple.com/notary/v2"
    upload: Address | None = None


MAX_NOTARIZED = 20
"""How many files one step may have notarized; each is a submission of its own."""

PlatformSigning = Annotated[Authenticode | AppleCodeSigning | Notarization, Field(discriminator="kind")]
"""What is done to the files."""


class PlatformStep(Value):
    """One unit of platform signing.

    Attributes:
        of: the step whose files are signed; it may be a platform step itself, as notarization follows code signing.
        files: which of its files; the others go through as they are.
        queue: the workers that have the tool and the key; for a notarization, those that staple.
        role: who may decide about it; release managers always may.
        timeout: seconds that one attempt may take; Apple's notary service is known to take hours.
        wait_for_runner: seconds until a missing worker is put before a person.
    """

    name: Name
    of: Name
    signing: PlatformSigning
    files: tuple[FileName, ...] = Field(min_length=1, max_length=1000)
    queue: Name
    role: Name = "release-manager"
    timeout: Seconds = 3600
    wait_for_runner: Seconds = 900

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        if isinstance(self.signing, Notarization) and len(self.files) > MAX_NOTARIZED:
            raise ValueError(f"{len(self.files)} files are to be notarized; expected {MAX_NOTARIZED} at most")
        return self
