from __future__ import annotations

import sys

import pytest

from baton.model.errors import Failed
from baton.proof.programs import run


def test_a_program_that_waits_for_ever_is_ended() -> None:
    with pytest.raises(Failed, match="did not end within 0 s; if it waited for a passphrase, a PIN or a touch"):
        run([sys.executable, "-c", "import time; time.sleep(600)"], seconds=0.2)


def test_a_complaint_is_one_line_without_status_lines() -> None:
    text = "import sys; sys.stderr.write('[GNUPG:] FAILURE sign 1\\nno key\\n\\n really\\n'); sys.exit(2)"
    ended = run([sys.executable, "-c", text])
    assert (ended.code, ended.complaint) == (2, "no key; really")
