"""Apple's code signing and stapling, with Apple's own tools on macOS.

From the manual pages codesign(1), productsign(1), pkgutil(1) and stapler(1), "Customizing the notarization workflow"
and TN3127 "Inside Code Signing: Requirements" (https://developer.apple.com/documentation).
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from baton.model.errors import Refused, Unavailable
from baton.platform.programs import run
from baton.platform.secrets import named_file

if TYPE_CHECKING:
    from pathlib import Path

    from baton.model.code_signing import AppleCodeSigning
    from baton.platform.programs import Outcome

STAPLED = (".pkg", ".dmg")
"""The endings of files that have a place for a ticket; an archive and a bare program have none."""

_NO_TICKET_YET = 65
"""The code with which stapler ends when Apple does not deliver the ticket, as for a while after the verdict."""

_UNREACHABLE = ("timestamp service is not available", "could not be reached", "network", "offline")


class AppleTool:
    """Carries out an :class:`~baton.model.code_signing.AppleCodeSigning`, as the port says.

    Args:
        signing: the plan's part.
    """

    def __init__(self, signing: AppleCodeSigning) -> None:
        self._signing = signing

    def sign(self, unsigned: Path, signed: Path) -> None:
        """Make a signed copy, with Apple's timestamp and, for code, the hardened runtime that notarization asks for."""
        if _is_package(unsigned):
            _require_unsigned(unsigned)
        else:
            shutil.copyfile(unsigned, signed)
            shutil.copymode(unsigned, signed)
        outcome = run(self.command(unsigned, signed))
        if outcome.code:
            signed.unlink(missing_ok=True)
            raise _problem(outcome)

    def verify(self, unsigned: Path, signed: Path) -> None:
        """Require a valid signature of the team.

        That the content is the same only ``codesign`` and ``productsign`` can know; they are believed.
        """
        outcome = run(self.verification(signed))
        if outcome.code:
            raise Refused(
                f"the signature of {signed.name}, made of {unsigned.name}, does not count; {outcome.complaint}"
            )
        if _is_package(signed):
            self._require_package_signer(outcome, signed)

    def command(self, unsigned: Path, signed: Path) -> list[str | Path]:
        """The command line that signs; for code it signs the copy in place.

        Raises:
            Missing: the keychain is not there.
        """
        keychain = ("--keychain", named_file(self._signing.keychain_from)) if self._signing.keychain_from else ()
        if _is_package(unsigned):
            return ["productsign", "--timestamp", *keychain, "--sign", self._signing.identity, unsigned, signed]
        # Without --force, codesign refuses what is signed already.
        return ["codesign", "--timestamp", "--options", "runtime", *keychain, "--sign", self._signing.identity, signed]

    def verification(self, signed: Path) -> list[str | Path]:
        """The command line that verifies; for code with the team as a requirement."""
        if _is_package(signed):
            return ["pkgutil", "--check-signature", signed]
        requirement = f'=anchor apple generic and certificate leaf[subject.OU] = "{self._signing.team}"'
        return ["codesign", "--verify", "--strict", "--verbose=2", "-R", requirement, signed]

    def _require_package_signer(self, outcome: Outcome, signed: Path) -> None:
        first = next((line for line in outcome.lines if line.startswith("1. ")), "")
        if first.removeprefix("1. ") != self._signing.identity:
            raise Refused(f"{signed.name} is signed by {first or 'nobody'}; expected {self._signing.identity}")
        if not any(line.startswith("Signed with a trusted timestamp") for line in outcome.lines):
            raise Refused(f"{signed.name} carries no trusted timestamp, without which its signature ends with its key")


def staple(file: Path) -> None:
    """Put the ticket of a notarized file into it, in place, and look whether it counts.

    Stapling again puts the same ticket there again.

    Raises:
        Missing: this is no macOS with Xcode.
        Unavailable: Apple does not deliver the ticket yet.
        Refused: the file can't carry a ticket.
    """
    outcome = run(stapling(file))
    if outcome.code == _NO_TICKET_YET:
        raise Unavailable(f"there is no ticket for {file.name} yet: {outcome.complaint}", after=60)
    if outcome.code:
        raise Refused(f"no ticket can be stapled to {file.name}: {outcome.complaint}")
    validated = run(["xcrun", "stapler", "validate", file])
    if validated.code:
        raise Refused(f"the ticket of {file.name} does not count: {validated.complaint}")


def stapling(file: Path) -> list[str | Path]:
    """The command line that staples a ticket."""
    return ["xcrun", "stapler", "staple", "-v", file]


def _require_unsigned(package: Path) -> None:
    """Refuse to sign a package that is signed: ``productsign`` would replace the signature without a word."""
    outcome = run(["pkgutil", "--check-signature", package])
    if "Status: no signature" not in outcome.lines:
        raise Refused(f"{package.name} has to come without a signature; {outcome.complaint}")


def _is_package(file: Path) -> bool:
    return file.suffix == ".pkg"


def _problem(outcome: Outcome) -> Refused | Unavailable:
    said = "\n".join(outcome.lines).lower()
    if any(words in said for words in _UNREACHABLE):
        return Unavailable(outcome.complaint)
    return Refused(outcome.complaint)
