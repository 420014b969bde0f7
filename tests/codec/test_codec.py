"""What the codec gives to Temporal tells nothing, fits one place alone, and is refused where it does not fit."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload
from temporalio.converter import ActivitySerializationContext, WorkflowSerializationContext

from baton.codec.codec import Codec
from baton.codec.keys import CodecKey, Keyring
from baton.codec.scope import Scope
from baton.model.errors import Missing, Refused
from baton.model.hearing import REFUSED_IN_TRANSIT

if TYPE_CHECKING:
    from temporalio.converter import SerializationContext

SECRET = "CVE-2026-31337"  # noqa: S105  # what is to be kept secret, no password
RELEASE = WorkflowSerializationContext("default", "release/spam/1.0")
RING = Keyring((CodecKey.new(),))


def plain(text: str = SECRET) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(text).encode())


def codec(keyring: Keyring, context: SerializationContext | None = RELEASE, **how: bool) -> Codec:
    made = Codec(keyring, Scope("default"), **how)
    return made if context is None else made.with_context(context)


async def one(payloads: list[Payload]) -> Payload:
    (payload,) = payloads
    return payload


async def sealed(keyring: Keyring, context: SerializationContext = RELEASE) -> Payload:
    return await one(await codec(keyring, context).encode([plain()]))


async def opened(payload: Payload, keyring: Keyring, context: SerializationContext | None = RELEASE) -> Payload:
    return await one(await codec(keyring, context).decode([payload]))


@given(data=st.binary(max_size=2000), encoding=st.binary(max_size=30))
async def test_whatever_goes_in_comes_out(data: bytes, encoding: bytes) -> None:
    payload = Payload(metadata={"encoding": encoding, "other": b"1"}, data=data)
    assert await opened(await one(await codec(RING).encode([payload])), RING) == payload


async def test_what_temporal_gets_tells_the_key_the_project_and_nothing_else(keyring: Keyring) -> None:
    payload = await sealed(keyring)
    assert SECRET.encode() not in payload.SerializeToString()
    assert dict(payload.metadata) == {
        "encoding": b"binary/encrypted",
        "baton-key": keyring.keys[0].id.encode(),
        "baton-project": b"spam",
    }


async def test_the_same_thing_twice_looks_different(keyring: Keyring) -> None:
    assert (await sealed(keyring)).data != (await sealed(keyring)).data


async def test_the_first_key_encrypts_and_all_decrypt(keyring: Keyring) -> None:
    before = await sealed(keyring)
    rotated = Keyring((CodecKey.new(), *keyring.keys))
    after = await sealed(rotated)
    assert after.metadata["baton-key"].decode() == rotated.keys[0].id
    assert await opened(before, rotated) == await opened(after, rotated) == plain()
    with pytest.raises(Missing, match=rotated.keys[0].id):
        await opened(after, keyring)


async def test_a_missing_key_is_named_and_so_are_those_that_there_are(keyring: Keyring) -> None:
    other = Keyring((CodecKey.new(),))
    with pytest.raises(Missing, match=f"{keyring.keys[0].id}.*it has {other.keys[0].id}.*BATON_CODEC_KEYS_FILE"):
        await opened(await sealed(keyring), other)
    with pytest.raises(Missing, match="it has none"):
        await opened(await sealed(keyring), Keyring())


async def test_a_key_of_one_project_encrypts_no_others(keyring: Keyring) -> None:
    bound = Keyring((CodecKey.new("spam"),))
    assert (await sealed(bound)).metadata["encoding"] == b"binary/encrypted"
    assert await sealed(bound, WorkflowSerializationContext("default", "release/eggs/1.0")) == plain()
    both = Keyring((*bound.keys, *keyring.keys))
    eggs = await sealed(both, WorkflowSerializationContext("default", "release/eggs/1.0"))
    assert eggs.metadata["baton-key"].decode() == keyring.keys[0].id


async def test_what_belongs_to_nobody_is_not_sent_in_the_open_where_keys_are_bound() -> None:
    with pytest.raises(Refused, match="nothing says which project"):
        await codec(Keyring((CodecKey.new("spam"),)), None).encode([plain()])


async def test_work_belongs_to_the_project_of_its_release(keyring: Keyring) -> None:
    work = ActivitySerializationContext("default", "3", "build_step", "build", "release/spam/1.0", "Release", False)
    assert await opened(await sealed(keyring, work), keyring) == plain()


@pytest.mark.parametrize(
    "elsewhere",
    [
        WorkflowSerializationContext("default", "release/eggs/1.0"),
        WorkflowSerializationContext("default", "no-project"),
    ],
)
async def test_what_is_moved_to_another_project_is_refused(
    keyring: Keyring, elsewhere: WorkflowSerializationContext
) -> None:
    with pytest.raises(Refused, match="encrypted for another namespace or project"):
        await opened(await sealed(keyring), keyring, elsewhere)


async def test_what_is_moved_to_another_namespace_is_refused(keyring: Keyring) -> None:
    payload = await sealed(keyring)
    with pytest.raises(Refused, match="another namespace"):
        await Codec(keyring, Scope("other", "spam")).decode([payload])


@pytest.mark.parametrize("change", ["data", "project", "cut", "empty"])
async def test_what_was_changed_on_its_way_is_refused(keyring: Keyring, change: str) -> None:
    payload = await sealed(keyring)
    match change:
        case "data":
            payload.data = payload.data[:-1] + bytes([payload.data[-1] ^ 1])
        case "project":
            payload.metadata["baton-project"] = b"eggs"
        case "cut":
            payload.data = payload.data[:20]
        case "empty":
            payload.data = b""
    with pytest.raises(Refused):
        await opened(payload, keyring)
    with pytest.raises(Refused):
        await one(await Codec(keyring, Scope("default")).decode([payload]))


async def test_a_key_of_one_project_vouches_for_no_other(keyring: Keyring) -> None:
    mine = CodecKey.new("spam")
    forged = await one(
        await codec(Keyring((CodecKey("*", mine.secret),)), WorkflowSerializationContext("default", "x/eggs/1")).encode(
            [plain()]
        )
    )
    with pytest.raises(Refused):
        await opened(forged, Keyring((mine, *keyring.keys)), WorkflowSerializationContext("default", "x/eggs/1"))


async def test_what_is_unencrypted_is_refused_unless_that_is_allowed(keyring: Keyring) -> None:
    with pytest.raises(Refused, match="it came unencrypted"):
        await opened(plain(), keyring)
    assert await one(await codec(keyring, allow_plain=True).decode([plain()])) == plain()
    assert await opened(plain(), Keyring()) == plain()


async def test_a_worker_takes_what_is_refused_for_a_message_that_says_why(
    keyring: Keyring, caplog: pytest.LogCaptureFixture
) -> None:
    serving = codec(keyring, serving=True)
    with caplog.at_level(logging.WARNING):
        instead = await one(await serving.decode([plain()]))
    assert "came unencrypted" in json.loads(instead.data)[REFUSED_IN_TRANSIT]
    assert "refused a payload of spam" in caplog.text
    assert SECRET not in caplog.text
