from __future__ import annotations

import pytest
from pydantic import SecretStr

from baton.model.errors import Missing
from baton.platform.programs import run


def test_a_program_that_repeats_its_secret_does_not_give_it_away() -> None:
    outcome = run(["sh", "-c", 'cat; echo "\x1b[31m bad passphrase"; exit 3'], secret=SecretStr("open sesame"))
    assert outcome.complaint == "sh ended with exit code 3: … [31m bad passphrase"


def test_a_program_that_is_not_installed_is_named() -> None:
    with pytest.raises(Missing, match="no-such-program does not run here"):
        run(["no-such-program"])
