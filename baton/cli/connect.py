"""Connecting to Temporal, for the command line and for workers alike."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from temporalio.client import Client
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)

from baton.codec.converter import data_converter
from baton.codec.keys import Keyring, keyring_of, read_keys
from baton.model.errors import Invalid, Unavailable
from baton.settings import WorkerSettings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from temporalio.client import Interceptor
    from temporalio.converter import DataConverter

DEFAULT_ADDRESS = "localhost:7233"
DEFAULT_NAMESPACE = "default"


def _runtime() -> Runtime:
    """A runtime whose core logs go to Python's logging: by default they go to stdout and would spoil ``--json``."""
    forwarding = LogForwardingConfig(logger=logging.getLogger("temporalio.core"))
    return Runtime(
        telemetry=TelemetryConfig(
            logging=LoggingConfig(filter=TelemetryFilter(core_level="WARN", other_level="ERROR"), forwarding=forwarding)
        )
    )


def configuration(*, address: str | None = None, namespace: str | None = None) -> ClientConnectConfig:
    """Which server, as Temporal's own environment configuration says: profiles, ``TEMPORAL_ADDRESS``, mTLS, API key.

    See https://docs.temporal.io/develop/environment-configuration. The same settings serve the ``temporal`` CLI.

    Args:
        address: ``host:port`` of a local world; nothing of the configuration is used then, least of all its keys.
        namespace: there.

    Returns:
        Arguments for a connection, with ``target_host`` and ``namespace`` always among them.

    Raises:
        Invalid: the configuration can't be read, or has no such profile.
    """
    if address is not None:
        return ClientConnectConfig(target_host=address, namespace=namespace or DEFAULT_NAMESPACE)
    try:
        found = ClientConfig.load_client_connect_config()
    except RuntimeError as error:
        raise Invalid(f"Temporal's configuration can't be used: {error}") from error
    found.setdefault("target_host", DEFAULT_ADDRESS)
    found.setdefault("namespace", DEFAULT_NAMESPACE)
    return found


async def connect(
    *,
    address: str | None = None,
    namespace: str | None = None,
    codec_keys: Path | None = None,
    serving: bool = False,
    interceptors: Sequence[Interceptor] = (),
) -> Client:
    """Connect to the server that :func:`configuration` says.

    Args:
        address: as there.
        namespace: as there.
        codec_keys: the file with the keys of a local world that encrypts. For any other server the environment gives
            them, as :class:`baton.settings.WorkerSettings` says.
        serving: whether a worker is to use the connection; see :class:`baton.codec.codec.Codec`.
        interceptors: what each call goes through.

    Raises:
        Unavailable: no server answers there.
        BatonError: the configuration can't be read, or has no such profile; or there are codec keys, but can't be used.
    """
    config = configuration(address=address, namespace=namespace)
    converter = _converter(config["namespace"], codec_keys, local=address is not None, serving=serving)
    try:
        return await Client.connect(
            **config,
            data_converter=converter,
            interceptors=interceptors,
            runtime=_runtime(),
        )
    except RuntimeError as error:
        raise Unavailable(
            f"no Temporal server answers at {config['target_host']}: {_reason(error)}. "
            "Start one with `baton dev`, or name yours in TEMPORAL_ADDRESS or a Temporal profile"
        ) from error


def _converter(namespace: str, codec_keys: Path | None, *, local: bool, serving: bool) -> DataConverter:
    if local:
        keyring = Keyring() if codec_keys is None else read_keys(codec_keys)
        return data_converter(keyring, namespace=namespace, serving=serving)
    settings = WorkerSettings()
    allow_plain = settings.codec_plain == "accept"
    return data_converter(keyring_of(settings), namespace=namespace, allow_plain=allow_plain, serving=serving)


def _reason(error: RuntimeError) -> str:
    """The innermost cause that the core's error tells; the whole of it if it tells none."""
    told = re.findall(r'message: "([^"]+)"', str(error))
    return told[-1] if told else str(error)
