"""The data converter of every client and worker: pydantic's models, and encryption where there are keys."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DefaultFailureConverterWithEncodedAttributes

from baton.codec.codec import Codec
from baton.codec.scope import Scope

if TYPE_CHECKING:
    from temporalio.converter import DataConverter

    from baton.codec.keys import Keyring


def data_converter(
    keyring: Keyring, *, namespace: str, allow_plain: bool = False, serving: bool = False
) -> DataConverter:
    """What turns values into payloads and back.

    Args:
        keyring: the process's keys; with none, nothing is encrypted, and what is can't be read.
        namespace: of the client that uses it.
        allow_plain: as :class:`baton.codec.codec.Codec` takes it.
        serving: likewise.
    """
    codec = Codec(keyring, Scope(namespace), allow_plain=allow_plain, serving=serving)
    converter = replace(pydantic_data_converter, payload_codec=codec)
    if not keyring:
        return converter
    # Messages and stack traces are no payloads by themselves: this makes them part of one.
    return replace(converter, failure_converter_class=DefaultFailureConverterWithEncodedAttributes)
