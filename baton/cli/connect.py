"""Connecting to Temporal, for the command line and for workers alike."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)

from baton.model.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from temporalio.client import Interceptor

DEFAULT_ADDRESS = "localhost:7233"


def _runtime() -> Runtime:
    """A runtime whose core logs go to Python's logging: by default they go to stdout and would spoil ``--json``."""
    forwarding = LogForwardingConfig(logger=logging.getLogger("temporalio.core"))
    return Runtime(
        telemetry=TelemetryConfig(
            logging=LoggingConfig(filter=TelemetryFilter(core_level="WARN", other_level="ERROR"), forwarding=forwarding)
        )
    )


async def connect(*, interceptors: Sequence[Interceptor] = ()) -> Client:
    """Connect as Temporal's own environment configuration says: profiles, ``TEMPORAL_ADDRESS``, mTLS, API key.

    See https://docs.temporal.io/develop/environment-configuration. The same settings serve the ``temporal`` CLI.

    Raises:
        Unavailable: no server answers there.
    """
    config = ClientConfig.load_client_connect_config()
    address = config.setdefault("target_host", DEFAULT_ADDRESS)
    try:
        return await Client.connect(
            **config,
            data_converter=pydantic_data_converter,
            interceptors=interceptors,
            runtime=_runtime(),
        )
    except RuntimeError as error:
        raise Unavailable(
            f"no Temporal server answers at {address}: {error}. "
            "Start one with `baton dev`, or name yours in TEMPORAL_ADDRESS or a Temporal profile"
        ) from error
