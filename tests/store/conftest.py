from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from baton.store import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from baton.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))
