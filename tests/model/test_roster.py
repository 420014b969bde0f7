from __future__ import annotations

from datetime import date

import pytest

from baton.model.base import canonical_json
from baton.model.roster import SigstoreIdentity, Window

FIRST, LAST = date(2026, 1, 1), date(2026, 1, 31)


@pytest.mark.parametrize(
    ("window", "day", "covered"),
    [
        (Window(), date(1999, 12, 31), True),
        (Window(first=FIRST, last=LAST), FIRST, True),
        (Window(first=FIRST, last=LAST), LAST, True),
        (Window(first=FIRST, last=LAST), date(2025, 12, 31), False),
        (Window(first=FIRST, last=LAST), date(2026, 2, 1), False),
    ],
)
def test_a_key_counts_from_its_first_day_to_its_last(window: Window, day: date, covered: bool) -> None:
    assert window.covers(day) is covered


def test_a_revoked_key_counts_on_no_day_not_even_before_it_was_revoked() -> None:
    revoked = Window(first=FIRST, revoked=date(2026, 3, 1))

    assert not any(revoked.covers(day) for day in (FIRST, date(2026, 2, 28), date(2026, 3, 1)))
    assert revoked.span == "never, revoked on 2026-03-01"


def test_documents_without_revoked_keys_keep_the_digest_that_they_had() -> None:
    identity = SigstoreIdentity(identity="ada@example.org", issuer="https://issuer.example.org")

    assert b"revoked" not in canonical_json(identity)
    revoked = identity.model_copy(update={"revoked": date(2026, 3, 1)})
    assert SigstoreIdentity.model_validate_json(canonical_json(revoked)) == revoked
