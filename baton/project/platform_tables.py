"""The tables of `release.toml` that say how signatures are put inside files, as Windows and macOS want it."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from baton.model.base import EnvName, Name
from baton.model.code_signing import (
    MAX_NOTARIZED,
    Account,
    Address,
    AppleId,
    Description,
    DeveloperId,
    IssuerId,
    Pkcs11Uri,
    Profile,
    Subject,
    Thumbprint,
    TimestampUrl,
    WindowsThumbprint,
)
from baton.project.fields import Duration, FileTemplate, KeyFile, Table
from baton.project.selection import SelectionTable


class Pkcs12KeyTable(Table):
    """A key and its certificates in a PKCS #12 file of the worker."""

    kind: Literal["pkcs12"]
    """Where the key is."""

    file_from: EnvName = Field(alias="file-from")
    """The environment variable of the worker that names the file."""

    passphrase_from: EnvName | None = Field(default=None, alias="passphrase-from")
    """The environment variable with its passphrase; or, with `_FILE` appended to the variable's name, the path of a
    file that begins with it. Left out if the file has no passphrase."""


class Pkcs11KeyTable(Table):
    """A key in a token, such as a hardware security module, that the worker reaches by PKCS #11."""

    kind: Literal["pkcs11"]
    """Where the key is."""

    module_from: EnvName = Field(alias="module-from")
    """The environment variable of the worker that names the token's library."""

    key: Pkcs11Uri
    """Which key, as a `pkcs11:` address (RFC 7512) without a PIN in it."""

    certificates_from: EnvName = Field(alias="certificates-from")
    """The environment variable that names the PEM file with the certificate and its chain."""

    pin_from: EnvName = Field(alias="pin-from")
    """The environment variable with the PIN; or, with `_FILE` appended to the variable's name, the path of a file that
    begins with it."""


class OsslSignCodeTable(Table):
    """`osslsigncode` on a worker that runs Linux or macOS."""

    kind: Literal["osslsigncode"]
    """What signs."""

    key: Annotated[Pkcs12KeyTable | Pkcs11KeyTable, Field(discriminator="kind")]
    """Where the key is."""


class SignToolTable(Table):
    """`signtool` of the Windows SDK, with a key of the worker's certificate store."""

    kind: Literal["signtool"]
    """What signs."""

    certificate: WindowsThumbprint
    """The SHA-1 thumbprint by which Windows names the certificate."""

    machine: bool = False
    """Whether it is in the machine's store and not in the user's."""


class ArtifactSigningTable(Table):
    """Azure Artifact Signing, once called Trusted Signing, to which the worker signs in by its own environment."""

    kind: Literal["artifact-signing"]
    """What signs."""

    endpoint: Address
    """The region's address, such as `https://weu.codesigning.azure.net`."""

    account: Account
    """The Artifact Signing account."""

    profile: Profile
    """Its certificate profile."""

    library_from: EnvName = Field(alias="library-from")
    """The environment variable of the worker that names `Azure.CodeSigning.Dlib.dll`, 64 bits."""


class CodeSignerTable(Table):
    """Whose signature the files have to carry; a worker without the key verifies it."""

    subject: Subject
    """The certificate's whole subject as RFC 4514 writes it, the last attribute first: `CN=Example,O=Example,C=NL`."""

    thumbprint: Thumbprint | None = None
    """The SHA-256 of the certificate, where one certificate is meant. Azure makes a certificate a day, so leave it out
    there."""

    roots: KeyFile
    """The authorities that the certificate may come from: a file with certificates in PEM form, relative to this file.
    """

    timestamp_roots: KeyFile = Field(alias="timestamp-roots")
    """The authorities that the timestamp's certificate may come from, in the same way."""


class AuthenticodeTable(Table):
    """An Authenticode signature with a timestamp in each file; they have to be programs or libraries for Windows."""

    kind: Literal["authenticode"]
    """What is done."""

    tool: Annotated[OsslSignCodeTable | SignToolTable | ArtifactSigningTable, Field(discriminator="kind")]
    """With what, and with which key."""

    signer: CodeSignerTable
    """Whose signature it has to be in the end."""

    timestamp_url: TimestampUrl = Field(alias="timestamp-url")
    """The timestamp authority (RFC 3161). What it says is signed, so plain HTTP is usual and harmless."""

    description: Description = ""
    """What Windows shows when it asks whether to run the program."""


class AppleCodeSigningTable(Table):
    """Apple's signature in each file by `codesign`, or by `productsign` in a `.pkg`; the worker runs macOS."""

    kind: Literal["apple-codesign"]
    """What is done."""

    identity: DeveloperId
    """The name of the certificate, such as `Developer ID Installer: Example (ABCDE12345)`. Installer packages need one
    kind of certificate and everything else another, and so two steps."""

    keychain_from: EnvName | None = Field(default=None, alias="keychain-from")
    """The environment variable of the worker that names the unlocked keychain; without it, those that macOS searches.
    """


class NotarizationTable(Table):
    """Apple's notary service looks through each file and issues a ticket, which is stapled to the file."""

    kind: Literal["notarize"]
    """What is done."""

    issuer: IssuerId
    """The issuer id of the team's key for the App Store Connect API."""

    key_id: AppleId = Field(alias="key-id")
    """The key's id."""

    key_from: EnvName = Field(alias="key-from")
    """The environment variable with the private key, the content of its `.p8` file; or, with `_FILE` appended to the
    variable's name, the path of that file."""

    queue: Name = "sign"
    """The task queue of the workers that hold the key; they submit and wait, on any operating system."""

    staple: bool = True
    """Whether tickets are stapled to `.pkg` and `.dmg`, on the step's own queue; other files have no place for one."""

    api: Address = "https://appstoreconnect.apple.com/notary/v2"
    """The service's address."""

    upload: Address | None = None
    """Where files are uploaded to; without it, Amazon's S3 as the service says."""


PlatformSigningTable = Annotated[
    AuthenticodeTable | AppleCodeSigningTable | NotarizationTable, Field(discriminator="kind")
]
"""What is done to the files."""


class PlatformStepTable(SelectionTable):
    """Signing inside the files of a step, such as Authenticode; a rehearsal, which has no such keys, leaves it out."""

    name: Name
    """Its name in commands, the log and decisions."""

    of: Name
    """The step whose files are signed; it may be signing that stands before this, as notarization follows signing."""

    files: tuple[FileTemplate, ...] = Field(min_length=1, max_length=1000)
    """Which of its files; the others go through as they are. At most 20 can be notarized by one step."""

    signing: PlatformSigningTable
    """What is done to them."""

    queue: Name
    """The task queue of the workers that have the tool and the key; for a notarization, of those that staple."""

    role: Name = "release-manager"
    """Who may decide about it; release managers may always decide."""

    timeout: Duration = "1h"
    """How long one attempt may take; Apple's notary service is known to take hours."""

    wait_for_runner: Duration = Field(default="15m", alias="wait-for-runner")
    """How long a worker may take to pick it up before a person is asked."""

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        if isinstance(self.signing, NotarizationTable) and len(self.files) > MAX_NOTARIZED:
            raise ValueError(f"found {len(self.files)} files to notarize; accepted: {MAX_NOTARIZED} or fewer")
        return self
