"""Signing a release's files as a person: only digests come to this machine, and only signatures leave it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import platformdirs
from rich.console import Group
from rich.text import Text

from baton.cli.act_page import act_page
from baton.cli.layout import block, columns, files_table, rehearsal_notice
from baton.cli.listed_files import read_listed
from baton.cli.names import parse_release
from baton.cli.sealing import find_pen
from baton.cli.speech import Question, speak
from baton.cli.standing import find_standing
from baton.cli.terminal import confirm, notes
from baton.cli.waiting_signers import waiting_signer
from baton.model.acts import Choice, Decision
from baton.model.base import counted
from baton.model.errors import Missing, Refused
from baton.model.manifest import Artifact, ArtifactSet, SetRef
from baton.model.signing import HumanSigstoreSigner, who_may_sign
from baton.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from baton.cli.place import Place
    from baton.cli.speech import Manner, Speaker
    from baton.cli.standing import Standing
    from baton.cli.waiting_signers import WaitingSigner
    from baton.model.manifest import Manifest
    from baton.model.plan import Plan
    from baton.model.roster import OpenPgpKey, Person
    from baton.model.signing import HumanGpgSigner
    from baton.signers.keeping import KeptSignatures
    from baton.signers.port import File
    from baton.signers.tokens import TokenSource
    from baton.store import Store


@dataclass(frozen=True)
class Wish:
    """How somebody wants to sign.

    Attributes:
        kind: ``sigstore`` or ``gpg``; None for the one that waits.
        files: the folder with the files, for OpenPGP; None to fetch them from the store.
        by_hand: open no browser to sign in: print the address, and ask for a code.
        token_file: a file with an identity token, in place of signing in.
    """

    kind: str | None = None
    files: Path | None = None
    by_hand: bool = False
    token_file: Path | None = None


@dataclass(frozen=True)
class _Desk:
    """Somebody about to sign a manifest's files at this machine."""

    place: Place
    standing: Standing
    waiting: WaitingSigner
    person: Person
    manifest: Manifest
    store: Store
    wish: Wish

    @property
    def plan(self) -> Plan:
        return self.standing.plan

    @property
    def kept(self) -> KeptSignatures:
        return self.waiting.kept(platformdirs.user_state_path("baton") / "signatures", self.manifest)

    @property
    def files(self) -> list[Artifact]:
        return [Artifact(name=file.name, digest=file.digest, size=file.size) for file in self.manifest.files]


def sign_release(place: Place, text: str, wish: Wish, speaker: Speaker, manner: Manner) -> None:
    """Sign every file of a release as a person who may, and hand the signatures in.

    Args:
        place: where the release and the store are.
        text: the release as it was typed.
        wish: how to sign.
        speaker: who signs, and what proves that it is they who hand the signatures in.
        manner: how that is said.

    Raises:
        typer.Exit: they thought better of it, or the release did not take the signatures.
        WrongCall: two kinds of signatures wait, and none was chosen.
        BatonError: nobody's signature is waited for, theirs does not count, or it could not be made or handed in.
    """
    release = parse_release(text)
    standing = find_standing(place, release, unanswered=False)
    plan = standing.plan
    person = speaker.on(plan.roster)
    waiting = waiting_signer(standing, wish.kind, person)
    if (speaker.role or person.roles[0]) not in person.roles:
        raise Refused(f"{person.id} does not hold the role {speaker.role}; holds: {', '.join(person.roles)}")
    # Nobody makes signatures that they could not hand in.
    find_pen(place, plan, person, speaker)
    store = open_store(place.store)
    desk = _Desk(place, standing, waiting, person, read_listed(store, plan, standing.subject), store, wish)
    notes().print(_page(desk))
    confirm(f"Sign {counted(len(desk.files), 'file')} of {release} as {person.id}?", yes=manner.yes)
    if isinstance(waiting.signer, HumanSigstoreSigner):
        signatures, speaker = _with_sigstore(desk, waiting.signer, speaker)
    else:
        signatures = _with_gpg(desk, waiting.signer)
    _hand_in(desk, signatures, speaker, manner)


def _page(desk: _Desk) -> RenderableType:
    rows = columns()
    rows.add_row("the manifest", Text(desk.manifest.digest, "bold"))
    rows.add_row("of commit", desk.manifest.commit)
    rows.add_row("as", Text(str(desk.waiting.entry), "bold"))
    rows.add_row("makes", f"one {desk.waiting.signer.suffix} for each of {counted(len(desk.files), 'file')}")
    table = files_table(tuple(desk.files[:40]), len(desk.files))
    heading = f"You sign {desk.plan.release}"
    return Group(*rehearsal_notice(desk.plan), block(heading, rows), block("These files, by digest", table), Text(""))


def _with_sigstore(desk: _Desk, signer: HumanSigstoreSigner, speaker: Speaker) -> tuple[ArtifactSet, Speaker]:
    """Sign by digest after one sign-in, which proves as well who hands the signatures in, if that is what does."""
    # Importing the sigstore library takes half a second, which only those wait for who need it.
    from baton.signers.personal import identity_of, sign_in, sign_with_sigstore  # noqa: PLC0415
    from baton.trust.instances import trust_configuration  # noqa: PLC0415

    trust = desk.place.trust_config(sandbox=desk.plan.sandbox)
    config = trust_configuration(signer.instance, trust)
    tokens: TokenSource = sign_in(config, by_hand=desk.wish.by_hand, token_file=desk.wish.token_file)
    mine = next(one.identities for one in signer.people if one.person == desk.person.id)
    identity = identity_of(tokens, mine, who_may_sign(signer))
    kept = desk.kept
    made = kept.find(desk.files)
    left = [file for file in desk.files if file not in made]
    notes().print(f"Signing {counted(len(left), 'file')} as {identity.identity}.", soft_wrap=True)
    made |= sign_with_sigstore(left, identity, config, tokens, kept.keep) if left else {}
    signatures = desk.waiting.checked([(file, None) for file in desk.files], made, trust, kept)
    return _put(desk.store, signatures), replace(speaker, signed_in=tokens)


def _with_gpg(desk: _Desk, signer: HumanGpgSigner) -> ArtifactSet:
    """Sign the files themselves with the person's own gpg: OpenPGP does not sign digests."""
    from baton.proof.openpgp_key import gpg_environment  # noqa: PLC0415  # with gpg alone
    from baton.signers.personal import own_gpg_home, sign_with_openpgp  # noqa: PLC0415  # as above

    mine = next(one.keys for one in signer.people if one.person == desk.person.id)
    key = _key_here(mine, who_may_sign(signer))
    # By these gpg's agent knows on which terminal to ask for the passphrase.
    os.environ.update(gpg_environment())
    kept = desk.kept
    made = kept.find(desk.files)
    with _files_at_hand(desk) as files:
        left = [(file, path) for file, path in files if file not in made]
        notes().print(f"Signing {counted(len(left), 'file')} with {key.fingerprint}.", soft_wrap=True)
        made |= sign_with_openpgp(left, key, own_gpg_home(), keep=kept.keep) if left else {}
        signatures = desk.waiting.checked(files, made, None, kept)
    return _put(desk.store, signatures)


def _key_here(keys: Sequence[OpenPgpKey], who_may: str) -> OpenPgpKey:
    """The first of a person's keys that counts today and that their gpg can sign with."""
    from datetime import UTC, datetime  # noqa: PLC0415  # with gpg alone

    from baton.proof.openpgp_key import find_signing_part  # noqa: PLC0415  # as above

    today = datetime.now(UTC).date()
    for key in keys:
        if key.covers(today) and find_signing_part(key) is not None:
            return key
    listed = ", ".join(f"{key.fingerprint} ({key.span})" for key in keys)
    raise Missing(f"gpg has no secret key here of {listed} that counts today. {who_may}. Nothing was signed")


@contextmanager
def _files_at_hand(desk: _Desk) -> Iterator[list[File]]:
    from baton.signers.personal import files_in  # noqa: PLC0415  # with gpg alone

    if desk.wish.files is not None:
        yield files_in(desk.wish.files, desk.files)
        return
    with TemporaryDirectory(prefix="baton-sign-") as folder:
        for number, file in enumerate(desk.files, start=1):
            notes().print(f"fetching {file.name}, {number} of {len(desk.files)}", soft_wrap=True)
            desk.store.fetch(file.digest, Path(folder) / file.name)
        yield files_in(Path(folder), desk.files)


def _put(store: Store, signatures: dict[str, bytes]) -> ArtifactSet:
    made = [
        Artifact(name=name, digest=store.put_bytes(content), size=len(content)) for name, content in signatures.items()
    ]
    handed_in = ArtifactSet.of(made)
    store.put_set(handed_in)
    return handed_in


def _hand_in(desk: _Desk, signatures: ArtifactSet, speaker: Speaker, manner: Manner) -> None:
    decision = Decision(
        release=desk.plan.release,
        step=desk.waiting.step.name,
        attempt=desk.waiting.step.attempt,
        run=desk.standing.run,
        subject=desk.standing.subject,
        choice=Choice.PROVIDE,
        by=desk.person.id,
        role=speaker.role or desk.person.roles[0],
        reason=speaker.reason,
        provided=SetRef.to(signatures).digest,
    )
    facts = [("hands in", f"{counted(len(signatures.artifacts), 'signature')}, {decision.provided}")]
    speak(
        desk.place, desk.plan, decision, Question(act_page(desk.plan, decision, facts)), speaker=speaker, manner=manner
    )
    if not manner.only_print:
        desk.kept.drop()
