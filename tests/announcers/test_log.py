"""Telling by a line in the worker's log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from baton.announcers import open_announcer
from baton.model.announcing import LogAnnouncer
from tests.announcers.conftest import LINK, message

if TYPE_CHECKING:
    import pytest


def test_the_log_gets_one_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        open_announcer(LogAnnouncer(name="log")).tell(message("gate publish waits\nfake: line"))
    assert caplog.messages == [f"hello 1.0.0: [released] gate publish waits fake: line {LINK}"]
