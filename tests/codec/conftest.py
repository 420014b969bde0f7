"""Keys, and clients that have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from temporalio.client import Client

from baton.codec.converter import data_converter
from baton.codec.keys import CodecKey, Keyring

if TYPE_CHECKING:
    from temporalio.testing import WorkflowEnvironment


@pytest.fixture
def keyring() -> Keyring:
    return Keyring((CodecKey.new(),))


def client_with(
    env: WorkflowEnvironment, keyring: Keyring, *, allow_plain: bool = False, serving: bool = False
) -> Client:
    """A client of the server that all tests share, with keys of its own."""
    converter = data_converter(keyring, namespace=env.client.namespace, allow_plain=allow_plain, serving=serving)
    return Client(env.client.service_client, namespace=env.client.namespace, data_converter=converter)
