"""Signatures as the platforms want them, inside the files: one port, one file for each tool; and Apple's notary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.model.code_signing import AppleCodeSigning, OsslSignCode
from baton.platform.apple import AppleTool
from baton.platform.osslsigncode import OsslSignCodeTool
from baton.platform.port import CodeSigningTool
from baton.platform.signtool import SignToolTool

if TYPE_CHECKING:
    from baton.model.code_signing import Authenticode

__all__ = ["CodeSigningTool", "open_tool"]


def open_tool(signing: Authenticode | AppleCodeSigning) -> CodeSigningTool:
    """The tool that makes a plan's signatures; nothing is read or asked yet."""
    if isinstance(signing, AppleCodeSigning):
        return AppleTool(signing)
    if isinstance(signing.tool, OsslSignCode):
        return OsslSignCodeTool(signing, signing.tool.key)
    return SignToolTool(signing, signing.tool)
