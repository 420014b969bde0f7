"""Signing what a person says, with a key that the release's roster lists for them."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.text import Text

from baton.cli.message import Message
from baton.cli.terminal import notes
from baton.model.errors import Missing, Refused
from baton.model.signing import SigstoreInstance
from baton.model.statement import statement_of
from baton.proof import Sigstore, find_key, seal
from baton.proof.openpgp_key import OpenPgpSigningKey
from baton.proof.ssh_key import SshSigningKey

if TYPE_CHECKING:
    from baton.cli.place import Place
    from baton.cli.speech import Speaker
    from baton.model.acts import Act
    from baton.model.plan import Plan
    from baton.model.roster import Person
    from baton.model.security import SecurityPlan
    from baton.proof.find import SigningKey


def find_pen(place: Place, plan: Plan | SecurityPlan, person: Person, speaker: Speaker) -> SigningKey | None:
    """What a person signs with.

    Args:
        place: where the release is; its Sigstore instance certifies rehearsals.
        plan: of the release, whose roster is the one that counts.
        person: who acts.
        speaker: what they said of the key.

    Returns:
        A key; None where the act goes unsigned: in a rehearsal that takes it so, if the person wants that or has no
        key on the roster.

    Raises:
        Refused: the act has to be signed, or the key that is asked for does not count.
        Missing: no key of theirs is here; the message says what to do.
    """
    if speaker.unsigned and not plan.unsigned_acts:
        raise Refused(f"{plan.release} takes signed acts only: leave --unsigned out")
    if speaker.unsigned or (plan.unsigned_acts and not person.keys and speaker.key is None):
        return None
    # The public instance certifies what counts for real; a local world's counts in rehearsals alone.
    instance = SigstoreInstance.SANDBOX if plan.sandbox else SigstoreInstance.PUBLIC
    sigstore = Sigstore(instance, place.trust_config(sandbox=plan.sandbox))
    try:
        pen = find_key(person, speaker.key, sigstore=sigstore, today=datetime.now(UTC).date())
    except Missing as error:
        without = ", or say it with --unsigned in this rehearsal" if plan.unsigned_acts else ""
        raise Missing(
            f"{error}. Name one with --key or BATON_KEY{without}. The roster is the plan's: a key that release.toml "
            "lists since then counts after `baton replan`"
        ) from error
    if speaker.signed_in is not None and not isinstance(pen, SshSigningKey | OpenPgpSigningKey):
        return replace(pen, signed_in=speaker.signed_in)
    return pen


def seal_act(act: Act, pen: SigningKey | None) -> Message:
    """Say an act now, signed if there is something to sign with.

    Raises:
        BatonError: the key does not sign.
    """
    now = datetime.now(UTC)
    if pen is None:
        # The time makes it another message than an earlier one of the same words, which Temporal would take for it.
        return Message.of(act.model_copy(update={"at": now}))
    notes().print(f"Signing with the {pen.name}: {pen.asks}.", soft_wrap=True)
    spoken = act.model_copy(update={"at": now, "nonce": secrets.token_hex(16)})
    return Message.of(spoken, json.loads(seal(statement_of(spoken), pen)))


def unsigned_notice(who: str) -> Text:
    """What is to be seen wherever an act is about to go unsigned."""
    return Text(
        f"UNSIGNED: nothing proves that {who} says this, and only a rehearsal takes it.", "bold yellow", no_wrap=False
    )
