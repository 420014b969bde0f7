"""What a new list takes back of what was published: nothing may stop verifying unnoticed."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from baton.trust.documents import shipped_identities
from baton.trust.identities import TrustedIdentities, TrustedSigstoreIdentity, Who
from baton.trust.result import FileResult, SignatureKind, SignatureResult
from baton.trust.withdrawal import stops_verifying, withdrawn

if TYPE_CHECKING:
    from collections.abc import Callable

TODAY = date(2026, 6, 15)
KEY = "A" * 40
PERSON = {"kind": "sigstore", "identity": "ada@example.org", "issuer": "https://accounts.google.com", "who": "human"}
DOCUMENT: dict[str, Any] = {
    "project": "hello",
    "issued": "2026-01-01",
    "streams": [
        {
            "name": "1",
            "trusted": [
                {**PERSON, "from": "2025-01-01", "until": "2026-12-31"},
                {"kind": "github-workflow", "repository": "e/h", "workflow": "r.yml", "ref": "refs/tags/v*"},
                {"kind": "openpgp", "fingerprint": KEY, "public_key": "a key block", "who": "machine"},
            ],
        }
    ],
}


def document(change: Callable[[dict[str, Any]], object] = lambda _: None) -> TrustedIdentities:
    copy = json.loads(json.dumps(DOCUMENT))
    change(copy)
    return TrustedIdentities.model_validate(copy)


def entry(number: int, **changes: object) -> Callable[[dict[str, Any]], object]:
    return lambda copy: copy["streams"][0]["trusted"][number].update(changes)


def spans(copy: dict[str, Any], *days: tuple[str, str | None]) -> None:
    """Have the person listed once for each span of days."""
    entries = [{**PERSON, "from": first, "until": last} for first, last in days]
    copy["streams"][0]["trusted"][:1] = entries


def lost(change: Callable[[dict[str, Any]], object], *published: str) -> list[str]:
    found = withdrawn(document(), document(change), published=published or None, today=TODAY)
    return [str(withdrawal) for withdrawal in found]


@pytest.mark.parametrize(
    "change",
    [
        lambda _: None,
        entry(0, until="2026-06-15"),
        entry(0, **{"from": "2024-01-01"}),
        entry(0, until=None),
        entry(1, ref="refs/tags/*"),
        entry(2, revoked="2026-06-01"),
        lambda copy: copy.update(serial=2, issued="2026-06-15"),
        lambda copy: copy["streams"][0]["trusted"].append({"kind": "openpgp", "fingerprint": "B" * 40, "who": "human"}),
        lambda copy: copy["streams"].append({"name": "2", "trusted": [PERSON]}),
        lambda copy: copy["streams"][0].update(name="*"),
        lambda copy: spans(copy, ("2024-01-01", "2026-01-31"), ("2026-02-01", None)),
        lambda copy: spans(copy, ("2024-01-01", "2026-03-31"), ("2025-06-01", "2025-07-01"), ("2026-04-01", None)),
    ],
)
def test_what_takes_nothing_back_is_no_withdrawal(change: Callable[[dict[str, Any]], object]) -> None:
    assert lost(change) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda copy: copy["streams"][0]["trusted"].pop(0),
            "ada@example.org .* gone.* 2025-01-01 until 2026-06-15",
        ),
        (lambda copy: copy["streams"][0]["trusted"].pop(2), f"OpenPGP key {KEY} would be gone"),
        (lambda copy: copy["streams"][0]["trusted"].pop(1), "r.yml@refs/tags/v.* would be gone"),
        (entry(0, until="2026-06-14"), "signed from 2026-06-15 until 2026-06-15 would not count"),
        (entry(0, **{"from": "2025-03-01"}), "signed from 2025-01-01 until 2025-02-28 would not count"),
        (entry(0, issuer="https://github.com/login/oauth"), "issuer https://accounts.google.com.* gone"),
        (entry(0, identity="grace@example.org"), "ada@example.org .* gone"),
        (entry(1, ref="refs/tags/v1*"), "would be gone"),
        (entry(1, ref="refs/tags/v"), "would be gone"),
        (entry(1, workflow="s.yml"), "would be gone"),
        (entry(1, repository="e/i"), "would be gone"),
        (entry(2, fingerprint="C" * 40), "would be gone"),
        (entry(2, public_key=None), "without its public key"),
        (lambda copy: copy["streams"][0].update(name="2"), "stream 1: it would be gone"),
        (lambda copy: copy["streams"][0].update(name="1.0"), "stream 1: it would be gone"),
        (lambda copy: copy["streams"][0].update(requires=["openpgp"]), "openpgp would become required"),
        (lambda copy: copy.update(sigstore="staging"), "public instance; staging would take its place"),
    ],
)
def test_each_thing_that_is_taken_back_is_told(change: Callable[[dict[str, Any]], object], says: str) -> None:
    (told,) = lost(change)
    assert told.startswith("stream 1: ")
    assert re.search(says, told), told


def test_a_hole_in_the_days_is_told_with_its_days() -> None:
    after = document(lambda copy: spans(copy, ("2025-01-01", "2026-01-31"), ("2026-03-01", None)))
    (hole,) = withdrawn(document(), after, today=TODAY)
    assert (hole.first, hole.last) == (date(2026, 2, 1), date(2026, 2, 28))
    assert isinstance(hole.entry, TrustedSigstoreIdentity)


def test_only_what_was_published_matters_where_it_is_known() -> None:
    def split(copy: dict[str, Any]) -> None:
        copy["streams"].append({"name": "1.2", "trusted": [PERSON]})

    assert lost(split, "1.0", "1.1.3") == []
    assert len(lost(split, "1.0", "1.2.1")) == 2, "the workflow and the key don't count for 1.2"
    assert lost(lambda copy: copy["streams"][0].update(name="9"), "2.0") == []


def test_what_is_signed_from_tomorrow_on_is_free_to_change() -> None:
    future = entry(0, **{"from": "2026-07-01"})
    assert withdrawn(document(future), document(lambda copy: copy["streams"][0]["trusted"].pop(0)), today=TODAY) == ()


def test_requiring_the_only_kind_there_is_takes_nothing_back() -> None:
    before = shipped_identities("cpython")
    loose = before.model_copy(
        update={"streams": tuple(stream.model_copy(update={"requires": ()}) for stream in before.streams)}
    )
    assert withdrawn(loose, before) == ()


def signed(version: str, day: date) -> FileResult:
    person = TrustedSigstoreIdentity(identity="ada@example.org", issuer="https://accounts.google.com", who=Who.HUMAN)
    signature = SignatureResult(
        kind=SignatureKind.SIGSTORE,
        source="x.sigstore",
        signed_at=datetime(day.year, day.month, day.day, tzinfo=UTC),
        matched=person,
        reason="it counts",
    )
    return FileResult(name=f"hello-{version}.zip", digest=None, version=version, signatures=(signature,))


def test_published_files_that_would_stop_verifying_are_named() -> None:
    files = [signed("1.0", date(2025, 5, 1)), signed("1.1", date(2026, 5, 1))]
    assert stops_verifying(files, document()) == ()

    (line,) = stops_verifying(files, document(entry(0, until="2025-12-31")))
    assert line.startswith("hello-1.1.zip: ada@example.org")
    assert "signed it on 2026-05-01" in line

    both = [f"hello-{version}.zip" for version in ("1.0", "1.1")]
    for change in (
        lambda copy: copy["streams"][0].update(name="2"),
        lambda copy: copy["streams"][0].update(requires=["openpgp"]),
        lambda copy: copy["streams"][0]["trusted"].pop(0),
    ):
        assert [line.partition(":")[0] for line in stops_verifying(files, document(change))] == both


def test_a_file_that_fails_already_stops_nothing() -> None:
    broken = signed("1.0", date(2025, 5, 1)).model_copy(update={"problem": "it is gone"})
    assert stops_verifying([broken], document(lambda copy: copy["streams"][0].update(name="2"))) == ()
