"""Whether a statement was signed by the person who is said to have made it."""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING

from baton.model.envelope import Scheme
from baton.model.errors import Refused
from baton.model.roster import OpenPgpKey, SigstoreIdentity, SshKey
from baton.model.statement import PAYLOAD_TYPE, act_of
from baton.proof.holders import find_listed
from baton.proof.openpgp import verify_openpgp
from baton.proof.ssh import verify_ssh
from baton.proof.sshsig import key_of_line, read_signature

if TYPE_CHECKING:
    from datetime import datetime

    from baton.model.acts import Act
    from baton.model.envelope import Envelope
    from baton.model.roster import Credential, Person, Roster
    from baton.proof.holders import Listed
    from baton.proof.instance import Sigstore

_OPENPGP = re.compile(r"openpgp:([0-9A-F]{40}|[0-9A-F]{64})")
"""What an envelope names an OpenPGP key by: its primary key's fingerprint."""


def prove(envelope: Envelope, person: Person, when: datetime, *, roster: Roster, sigstore: Sigstore) -> Credential:
    """The key by which a statement proves that this person made it.

    The signature has to fit the statement, be by a key that the roster lists for this person and nobody else, and the
    key has to count on the day that the statement tells, on the day it came and, where the signature has a time of its
    own, on that day.

    Args:
        envelope: the statement with its signature.
        person: who is said to have made it.
        when: when it came; a verification later gives the time of then.
        roster: everyone, so that a refusal can say whose key it is.
        sigstore: the instance whose certificates count; loaded only for a bundle.

    Returns:
        The roster's entry.

    Raises:
        Refused: it proves nothing of the kind; the message says why.
        Missing: gpg is needed and not installed, or the Sigstore instance's trust configuration is not there.
        Failed: gpg did not end in time.
        Invalid: the envelope holds no act; or, as Unavailable, as for :attr:`baton.proof.instance.Sigstore.config`.
    """
    act = act_of(envelope.payload)
    if act.by != person.id:
        raise Refused(f"the statement is by {act.by}; expected one by {person.id}")
    moments = {"the statement is of": _said_at(act), "it came on": when}
    if envelope.kind is Scheme.SSH:
        key = _by_ssh(envelope, roster)
    elif envelope.kind is Scheme.OPENPGP:
        key, moments["it was signed on"] = _by_openpgp(envelope, roster, when)
    else:
        key, moments["it was certified on"] = _by_sigstore(envelope, roster, sigstore)
    return key.counting_for(person, moments)


def _by_ssh(envelope: Envelope, roster: Roster) -> Listed:
    signature = read_signature(envelope.signature)
    if envelope.keyid != f"ssh:{signature.fingerprint}":
        raise Refused(
            f"the envelope names the key {envelope.keyid!r}, but the signature is by ssh:{signature.fingerprint}"
        )

    def is_it(key: Credential) -> bool:
        return isinstance(key, SshKey) and key_of_line(key.public_key) == signature.key

    listed = find_listed(roster, f"ssh key {signature.fingerprint}", is_it)
    verify_ssh(signature, envelope.signed_bytes)
    return listed


def _by_openpgp(envelope: Envelope, roster: Roster, when: datetime) -> tuple[Listed, datetime]:
    # The signature alone names a subkey at most; what the envelope says is believed once the signature fits.
    named = _OPENPGP.fullmatch(envelope.keyid)
    if named is None:
        raise Refused(f"the envelope names the key {envelope.keyid!r}; expected openpgp:FINGERPRINT")
    fingerprint = named[1]

    def is_it(key: Credential) -> bool:
        return isinstance(key, OpenPgpKey) and key.fingerprint == fingerprint

    listed = find_listed(roster, f"openpgp key {fingerprint}", is_it)
    keys = [key for _, key in listed.entries if isinstance(key, OpenPgpKey)]
    day = when.astimezone(UTC).date()
    key = max(keys, key=lambda key: (key.public_key is not None, key.covers(day)))
    return listed, verify_openpgp(envelope.signed_bytes, envelope.signature, key, when)


def _by_sigstore(envelope: Envelope, roster: Roster, sigstore: Sigstore) -> tuple[Listed, datetime]:
    said = sigstore.trust.open_statement(envelope.text.encode())
    if (said.payload_type, said.payload) != (PAYLOAD_TYPE, envelope.payload):
        raise Refused("the Sigstore bundle signs another statement than the envelope holds")
    identity, issuer = said.by.identity, said.by.issuer

    def is_it(key: Credential) -> bool:
        return isinstance(key, SigstoreIdentity) and (key.identity, key.issuer) == (identity, issuer)

    return find_listed(roster, f"Sigstore identity {identity} (issuer {issuer})", is_it), said.by.at


def _said_at(act: Act) -> datetime:
    """When the statement says that it was made."""
    if act.at is None:
        raise Refused("the statement does not say when it was made")
    try:
        return act.at.astimezone(UTC)
    except OverflowError as error:
        raise Refused(f"the statement is of {act.at}, which is no time in UTC") from error
