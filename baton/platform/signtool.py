"""Authenticode with ``signtool`` on Windows: the certificate store's key, or Azure Artifact Signing.

From https://learn.microsoft.com/windows/win32/seccrypto/signtool and
https://learn.microsoft.com/azure/artifact-signing/how-to-signing-integrations, "Set up SignTool to use
Artifact Signing".
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from baton.model.code_signing import SignTool
from baton.model.errors import Refused, Unavailable
from baton.platform import authenticode
from baton.platform.programs import run
from baton.platform.secrets import named_file

if TYPE_CHECKING:
    from baton.model.code_signing import ArtifactSigning, Authenticode
    from baton.platform.programs import Outcome

_TIMESTAMP_PROBLEMS = ("timestamp server", "0x80072ee", "0x80072ef")
"""What it says of an authority that does not answer: its own words, and WinHTTP's error codes."""


class SignToolTool:
    """Carries out an :class:`~baton.model.code_signing.Authenticode` whose tool is ``signtool``, as the port says.

    Args:
        signing: the plan's part.
        tool: its tool.
    """

    def __init__(self, signing: Authenticode, tool: SignTool | ArtifactSigning) -> None:
        self._signing = signing
        self._tool = tool

    def sign(self, unsigned: Path, signed: Path) -> None:
        """Copy the file and sign the copy, which signtool does in place."""
        authenticode.require_unsigned(unsigned)
        shutil.copyfile(unsigned, signed)
        with TemporaryDirectory(prefix="signtool-") as folder:
            outcome = run(self.command(signed, Path(folder)))
        if outcome.code:
            signed.unlink()
            raise _problem(outcome, self._signing.timestamp_url)

    def verify(self, unsigned: Path, signed: Path) -> None:
        """Require the content, the subject, and Windows' own judgement of the signature and its timestamp."""
        authenticode.require_content(unsigned, signed)
        authenticode.signing_certificate(signed, self._signing.signer)
        outcome = run(verification(signed))
        # 2 is success with warnings, and with /tw a missing timestamp is one.
        if outcome.code:
            raise Refused(f"the signature of {signed.name} does not count; {outcome.complaint}")

    def command(self, file: Path, folder: Path) -> list[str | Path]:
        """The command line that signs a file in place; no secret is in it.

        Args:
            file: what is signed.
            folder: where a file for the client library of Artifact Signing may be written.

        Raises:
            Missing: the worker does not have that library.
        """
        described = ("/d", self._signing.description) if self._signing.description else ()
        return [
            *("signtool", "sign", "/v", "/fd", "SHA256", "/tr", self._signing.timestamp_url, "/td", "SHA256"),
            *self._key_options(folder),
            *described,
            file,
        ]

    def _key_options(self, folder: Path) -> list[str | Path]:
        tool = self._tool
        if isinstance(tool, SignTool):
            return [*(("/sm",) if tool.machine else ()), "/sha1", tool.certificate.upper()]
        metadata = folder / "metadata.json"
        metadata.write_text(
            json.dumps(
                {
                    "Endpoint": tool.endpoint,
                    "CodeSigningAccountName": tool.account,
                    "CertificateProfileName": tool.profile,
                    # Nobody is there to sign in: the chain must not end in a browser window.
                    "ExcludeCredentials": ["InteractiveBrowserCredential"],
                }
            ),
            encoding="utf-8",
        )
        return ["/dlib", named_file(tool.library_from), "/dmdf", metadata]


def verification(file: Path) -> list[str | Path]:
    """The command line that verifies one signature by Windows' policy for programs, and asks for a timestamp."""
    return ["signtool", "verify", "/pa", "/tw", "/v", file]


def _problem(outcome: Outcome, timestamp_url: str) -> Refused | Unavailable:
    said = "\n".join(outcome.lines).lower()
    if any(words in said for words in _TIMESTAMP_PROBLEMS):
        return Unavailable(
            f"no timestamp came from {timestamp_url}, or the service did not answer: {outcome.complaint}"
        )
    return Refused(outcome.complaint)
