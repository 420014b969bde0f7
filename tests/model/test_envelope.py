"""Whatever comes in as a signed statement: it is read, or refused in words, and soon."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from baton.model.acts import SignOff
from baton.model.envelope import MAX_ENVELOPE, Scheme, is_envelope, open_envelope, read_envelope, require_small
from baton.model.errors import Invalid
from baton.model.statement import PAYLOAD_TYPE, act_of, statement_of

ACT = SignOff.model_validate(
    {
        "release": {"project": "hello", "version": "1.0.0"},
        "run": "run-1",
        "subject": "sha256:" + "d" * 64,
        "by": "ada",
        "role": "release-manager",
        "at": "2026-11-22T02:00:00Z",
        "nonce": "0" * 32,
        "gate": "publish",
        "attempt": 1,
    }
)
STATEMENT = statement_of(ACT)


def sealed(payload: bytes = STATEMENT, **changes: Any) -> dict[str, Any]:
    signature = {"keyid": "ssh:SHA256:abc", "sig": base64.b64encode(b"signature").decode()}
    payload_text = base64.b64encode(payload).decode()
    return {"payload": payload_text, "payloadType": PAYLOAD_TYPE, "signatures": [signature], **changes}


def bundle(**changes: Any) -> dict[str, Any]:
    media_type = "application/vnd.dev.sigstore.bundle.v0.3+json"
    return {"mediaType": media_type, "dsseEnvelope": sealed(), "verificationMaterial": {"certificate": {}}, **changes}


texts = st.text(max_size=30) | st.sampled_from(["\ud800", "\u0000", "\U0001f4a3", "9" * 5000])
numbers = st.integers() | st.floats() | st.sampled_from([10**400, 10**4200, -(2**63), 2**53, float("nan"), -0.0])
anything = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=15,
)
paths = st.sampled_from(
    [
        ("payload",),
        ("payloadType",),
        ("signatures",),
        ("signatures", 0),
        ("signatures", 0, "sig"),
        ("signatures", 0, "keyid"),
        ("signatures", 1),
        ("more",),
    ]
)


def put(message: Any, path: tuple[str | int, ...], value: object) -> Any:
    *way, last = path
    part = message
    for key in way:
        part = part[key]
    if isinstance(part, list) and isinstance(last, int) and last >= len(part):
        part.append(value)
    else:
        part[last] = value
    return message


def hear(message: object) -> None:
    """What a release does with a message; only its own error may come of it."""
    with suppress(Invalid):
        require_small(message)
        if is_envelope(message):
            act_of(open_envelope(message).payload)


@given(anything)
def test_any_json_is_read_or_refused(message: object) -> None:
    hear(message)


@given(paths, anything, st.booleans())
def test_an_envelope_with_anything_anywhere_is_read_or_refused(
    path: tuple[str | int, ...], value: object, in_bundle: bool
) -> None:
    message = put(sealed(), path, value)
    hear(bundle(dsseEnvelope=message) if in_bundle else message)


@given(st.dictionaries(st.sampled_from(["mediaType", "dsseEnvelope", "verificationMaterial", "x"]), anything))
def test_a_bundle_with_anything_in_it_is_read_or_refused(changes: dict[str, object]) -> None:
    hear(bundle(**changes))


@given(st.sampled_from(["_type", "subject", "predicateType", "predicate", "more"]), anything)
def test_a_statement_with_anything_in_it_is_read_or_refused(field: str, value: object) -> None:
    statement = {**json.loads(STATEMENT), field: value}
    hear(sealed(json.dumps(statement).encode()))


@given(st.sampled_from([*json.loads(STATEMENT)["predicate"], "more", "subject"]), anything)
def test_a_predicate_with_anything_in_it_is_read_or_refused(field: str, value: object) -> None:
    statement = json.loads(STATEMENT)
    statement["predicate"][field] = value
    hear(sealed(json.dumps(statement).encode()))


@given(st.integers(0, 600), st.binary(max_size=6), st.integers(0, 600))
def test_a_statement_or_envelope_that_was_cut_or_written_over_is_read_or_refused(
    start: int, written: bytes, removed: int
) -> None:
    def damaged(content: bytes) -> bytes:
        return content[:start] + written + content[start + removed :]

    hear(sealed(damaged(STATEMENT)))
    for content in (rfc8785.dumps(sealed()), rfc8785.dumps(bundle())):
        with suppress(Invalid):
            read_envelope(damaged(content))


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_text_is_read_or_refused(text: bytes | str) -> None:
    with pytest.raises(Invalid):
        read_envelope(text)


def nested(depth: int) -> Any:
    inner: Any = 0
    for _ in range(depth):
        inner = [inner]
    return inner


TOO_LARGE = "the message has more than the 32,768 bytes that are taken"
NOT_PLAIN = "the envelope is not plain JSON"
NO_STATEMENT = "the signed payload is not an in-toto Statement v1"


@pytest.mark.parametrize(
    ("message", "refused_by"),
    [
        pytest.param({"payloadType": [0] * 1_000_000}, TOO_LARGE, id="list"),
        pytest.param({"payloadType": {str(number): 0 for number in range(200_000)}}, TOO_LARGE, id="object"),
        pytest.param(
            {"mediaType": "application/vnd.dev.sigstore.bundle", "more": ["x" * 1_000] * 2_000}, TOO_LARGE, id="strings"
        ),
        pytest.param({"payloadType": nested(100_000)}, TOO_LARGE, id="deep"),
        pytest.param({"payloadType": nested(20_000)}, NOT_PLAIN, id="less deep"),
        pytest.param({"payloadType": "x" * 4_000_000}, TOO_LARGE, id="text"),
        pytest.param({"payloadType": 10**100_000}, NOT_PLAIN, id="number"),
        pytest.param(sealed(b'{"_type":' + b"[" * 20_000), NO_STATEMENT, id="deep payload"),
        pytest.param(sealed(b'{"_type":' + b"9" * 20_000 + b"}"), NO_STATEMENT, id="digits"),
        pytest.param(
            sealed(STATEMENT.replace(b'"run-1"', b'{"a":' * 900 + b"1" + b"}" * 900)),
            "the statement is no sign-off: run",
            id="deep field",
        ),
    ],
)
def test_what_is_far_too_large_is_refused_before_it_is_read(message: dict[str, object], refused_by: str) -> None:
    # A workflow that thinks for two seconds is taken for dead, so the first check that can tell has to be the one.
    with pytest.raises(Invalid, match=refused_by):
        act_of(open_envelope(message).payload)


@given(st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=9), st.lists))
def test_whatever_is_small_in_json_counts_as_small(message: object) -> None:
    copies = [message] * max(1, (MAX_ENVELOPE - 2) // (len(rfc8785.dumps(message)) + 1))  # type: ignore[arg-type]
    require_small(copies)


def test_an_envelope_says_what_it_holds() -> None:
    read = read_envelope(json.dumps(sealed()))
    assert (read.kind, read.payload, read.signature, read.keyid) == (
        Scheme.SSH, STATEMENT, b"signature", "ssh:SHA256:abc",
    )  # fmt: skip
    assert act_of(read.payload) == ACT
    assert open_envelope(bundle()).kind is Scheme.SIGSTORE
    assert open_envelope(json.loads(read.text)) == read


@pytest.mark.parametrize(
    ("message", "fact"),
    [
        (sealed(payloadType="text/plain"), "payloadType: Input should be 'application/vnd.in-toto+json'"),
        (sealed(signatures=[]), "signatures"),
        (sealed(signatures=[{"sig": "", "keyid": "ssh:"}, {"sig": "", "keyid": "ssh:"}]), "signatures"),
        (sealed(signatures=[{"sig": "", "keyid": "x509:1"}]), "begins with neither ssh: nor openpgp:"),
        (sealed(signatures=[{"sig": "?", "keyid": "ssh:1"}]), "signature is not base64"),
        ({**sealed(), "payload": "é"}, "payload is not base64"),
        (sealed(extra=1), "extra"),
        (sealed(reason="x" * MAX_ENVELOPE), "more than the 32,768 bytes that are taken"),
        (bundle(mediaType="text/html"), "this is not a Sigstore bundle with a DSSE envelope"),
    ],
)
def test_a_malformed_envelope_is_refused_with_what_was_expected(message: dict[str, Any], fact: str) -> None:
    with pytest.raises(Invalid, match=fact.replace("+", r"\+").replace("(", r"\(")):
        open_envelope(message)
