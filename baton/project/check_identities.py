"""Whether what a project publishes verifies, and goes on to, by the list of identities that people verify with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.model.errors import BatonError
from baton.model.version import StreamStatus
from baton.project.finding import error, ok, warning
from baton.project.signers import real_signers
from baton.project.signing_policy import policy_of, spells
from baton.trust.documents import load_identities
from baton.trust.identities import (
    GITHUB_ISSUER,
    TrustedIdentities,
    TrustedKey,
    TrustedSigstoreIdentity,
    TrustedStream,
    TrustedWorkflow,
    Who,
    signature_kind,
    trusted_signers,
)
from baton.trust.withdrawal import Withdrawal, withdrawn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from baton.project.finding import Finding
    from baton.project.read import Project
    from baton.trust.identities import TrustedIdentity

_REMEDY = "keep the former signer in the stream's signing.changes, with an until, or begin at a new stream"


def identities_findings(project: Project, today: date) -> Iterator[Finding]:
    """What is to be said of each stream beside the list that the project publishes, if it names one.

    Compared are machines alone: which people's signatures count, the list decides by itself.
    """
    named = project.settings.identities
    if named is None or project.settings.project.sandbox:
        return
    try:
        published = load_identities(project.file.parent / named.document)
    except BatonError as problem:
        yield error("identities", str(problem), "name the list that the project publishes, or nothing")
        return
    if published.project != project.name:
        yield error("identities", f"{named.document} is the list of {published.project}; expected {project.name}")
        return
    for name, stream in project.settings.streams.items():
        if stream.status is not StreamStatus.END_OF_LIFE:
            yield from _stream(project, name, published, today)


def _stream(project: Project, name: str, published: TrustedIdentities, today: date) -> Iterator[Finding]:
    subject = f"identities of stream {name}"
    listed = next((stream for stream in published.streams if stream.name == name), None)
    if listed is None:
        yield warning(subject, "not listed, so that nobody could verify its files", "publish a list that has it")
        return
    problems = [
        *(error(subject, lost.reason, _REMEDY) for lost in _lost(project, listed, published, today)),
        *_unlisted(project, listed, subject, today),
    ]
    yield from problems or [ok(subject, f"those of number {published.serial} of the published list")]


def _lost(project: Project, listed: TrustedStream, published: TrustedIdentities, today: date) -> tuple[Withdrawal, ...]:
    """What machines signed, by the list, and would not have by the policy."""
    before = tuple(entry for listed_entry in listed.trusted if (entry := _machine(listed_entry)) is not None)
    after = tuple(_signers_of_all_days(project, listed.name))
    if not before:
        return ()
    if not after:
        return (Withdrawal(stream=listed.name, reason="machines sign it by the list, and none by the policy"),)
    return withdrawn(_list_of(before, listed, published), _list_of(after, listed, published), today=today)


def _list_of(
    trusted: tuple[TrustedIdentity, ...], listed: TrustedStream, published: TrustedIdentities
) -> TrustedIdentities:
    """The published list with one stream, and in it these identities alone."""
    stream = TrustedStream(name=listed.name, trusted=trusted)
    return TrustedIdentities(
        project=published.project, sigstore=published.sigstore, issued=published.issued, streams=(stream,)
    )


def _machine(entry: TrustedIdentity) -> TrustedIdentity | None:
    """The entry, if it is a machine of which a policy can speak: one identity and not a pattern of several."""
    if isinstance(entry, TrustedWorkflow) and not entry.ref.endswith("*"):
        return TrustedSigstoreIdentity(
            identity=_address(entry) + entry.ref,
            issuer=GITHUB_ISSUER,
            who=Who.MACHINE,
            first=entry.first,
            last=entry.last,
            revoked=entry.revoked,
        )
    return entry if entry.who is Who.MACHINE and not isinstance(entry, TrustedWorkflow) else None


def _signers_of_all_days(project: Project, stream: str) -> Iterator[TrustedIdentity]:
    for spell in spells(project.settings, stream):
        for signer in real_signers(spell.policy, project):
            for entry in trusted_signers(signer):
                if entry.who is Who.MACHINE:
                    yield entry.model_copy(update={"first": spell.first, "last": spell.last})


def _unlisted(project: Project, listed: TrustedStream, subject: str, today: date) -> Iterator[Finding]:
    """Today's signers that the list does not have, and kinds of signature that it asks for in vain."""
    made = set()
    for signer in real_signers(policy_of(project.settings, listed.name, today), project):
        entries = trusted_signers(signer)
        made |= {signature_kind(entry) for entry in entries}
        if not any(holds(there, entry) and there.covers(today) for there in listed.trusted for entry in entries):
            who = " or ".join(map(str, entries))
            fact = f"the published list does not have {who} today, so that the next files would not verify"
            yield error(subject, fact, "publish a list that has it first")
    for kind in listed.requires:
        if kind not in made:
            fact = f"the published list requires a signature of kind {kind}, which nobody makes"
            yield error(subject, fact, "sign so until the stream ends, or publish a list that does not require it")


def holds(entry: TrustedIdentity, signer: TrustedIdentity) -> bool:
    """Whether signatures by the signer are among those that the entry names, on the days when that counts."""
    match entry, signer:
        case TrustedSigstoreIdentity(), TrustedSigstoreIdentity():
            return (entry.identity, entry.issuer) == (signer.identity, signer.issuer)
        case TrustedWorkflow(), TrustedSigstoreIdentity():
            workflow, _, ref = signer.identity.partition("@")
            return signer.issuer == GITHUB_ISSUER and f"{workflow}@" == _address(entry) and entry.allows_ref(ref)
        case TrustedKey(), TrustedKey():
            return entry.fingerprint == signer.fingerprint
        case _:
            return False


def _address(workflow: TrustedWorkflow) -> str:
    """How certificates name the workflow, but for the ref."""
    return f"https://github.com/{workflow.repository}/.github/workflows/{workflow.workflow}@"
