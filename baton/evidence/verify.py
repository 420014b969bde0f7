"""Verifying the evidence of a release: with the folder alone, no Temporal and no Baton server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.evidence.agreed import Agreed
from baton.evidence.attested import agreed_as_stated, attested_as_planned
from baton.evidence.chain import heard_again, judged, linked
from baton.evidence.files import made_as_told, published_as_planned, same_release, signed_as_planned
from baton.evidence.folder import Folder, Unreadable, read_folder
from baton.evidence.own import Rules, own_rules
from baton.evidence.result import EvidenceResult, bad, good
from baton.evidence.together import agreed_together
from baton.model.base import digest_of
from baton.model.evidence import INDEX
from baton.model.manifest import Artifact
from baton.model.signing import SigstoreInstance, own_signers
from baton.proof import Sigstore
from baton.trust.identities import trusted_signers
from baton.trust.release import verify_release

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from baton.evidence.chain import Said
    from baton.evidence.result import Check
    from baton.model.acts import Heard
    from baton.model.plan import Plan
    from baton.model.signing import OwnSigner, Signer


def verify_evidence(
    path: Path, *, roster: Path | None = None, trust_config: Path | None = None, offline: bool = False
) -> EvidenceResult:
    """Verify a folder of evidence: every digest, link, act, gate, decision and signature.

    Without rules of the verifier's own, the plan in the folder says who may act and who signs. Whoever can make up a
    whole folder can make up such a plan too: then compare the plan's digest, or its signers, with what you know.

    Args:
        path: the folder.
        roster: the verifier's own ``release.toml``, whose roster, gates and signers count instead of the plan's.
        trust_config: a Sigstore client trust configuration, for another instance than the public ones.
        offline: take Sigstore's trust root as it is at hand.

    Returns:
        What was found; true when the evidence is complete and everything is as it has to be.

    Raises:
        Missing: there is no evidence in the folder, or a program or trust configuration is not there.
        Unreadable: what is there is no evidence.
        Refused, Unavailable: as :func:`baton.evidence.own.own_rules` and
            :func:`baton.trust.instances.trust_configuration`.
    """
    folder, checks = read_folder(path)
    said: list[Said] = []
    plan: Plan | None = None
    own: Rules | None = None
    try:
        plan = folder.plan
        own = None if roster is None else own_rules(roster, folder)
        # Of documents that are not those of the list there is nothing more to say.
        whole = all(check.ok for check in checks)
        checks += _signed(folder, plan, own, trust_config, offline=offline)
        if whole:
            checks += agreed_as_stated(folder, plan, _signers(plan, own), trust_config, offline=offline)
        if whole:
            instance = SigstoreInstance.SANDBOX if plan.sandbox else SigstoreInstance.PUBLIC
            sigstore, roster_of_own = Sigstore(instance, trust_config, offline), None if own is None else own.roster
            said = heard_again(folder, folder.chain, own=roster_of_own, sigstore=sigstore)
            checks += compared(folder, said, own=own)
            checks += agreed_together(folder, plan, said, own=roster_of_own, sigstore=sigstore)
    except Unreadable as error:
        checks.append(bad("documents", error))
    return _result(folder, plan, said, own, checks)


def compared(folder: Folder, said: Sequence[Said], *, own: Rules | None = None) -> Iterator[Check]:
    """Everything that the documents tell, compared with each other and with what people signed.

    Args:
        folder: the evidence.
        said: its acts, each with what proves it.
        own: the verifier's own rules.

    Raises:
        Unreadable: a document is not there, or not what it has to be.
    """
    record, plan, manifest, chain = folder.record, folder.plan, folder.manifest, [one.heard for one in said]
    yield from same_release(folder, record, plan, manifest)
    yield from _by_own_rules(plan, own)
    yield from linked(folder, chain)
    yield from judged(said, folder, own=own is not None)
    agreed = Agreed(record, plan, said, own=None if own is None else own.roster)
    yield from agreed.gates()
    yield from agreed.decisions()
    if manifest is not None and folder.index.complete:
        yield from made_as_told(folder, record, plan, manifest)
        yield from signed_as_planned(folder, record, plan, manifest)
        yield from attested_as_planned(folder, record, plan, manifest)
        yield from published_as_planned(record, plan, manifest)


def _by_own_rules(plan: Plan, own: Rules | None) -> Iterator[Check]:
    if own is None:
        return
    for what in ("gates", "signers", "barrier"):
        expected, came = getattr(own, what), getattr(plan, what)
        if expected is not None and expected != came:
            yield bad("plan", f"its {what} are not those of {own.source}")


def _signed(
    folder: Folder, plan: Plan, own: Rules | None, trust_config: Path | None, *, offline: bool
) -> Iterator[Check]:
    """Whether everyone who has to sign the list did, and nobody else."""
    signers = own_signers(_signers(plan, own))
    expected = {f"{INDEX}{signer.suffix}" for signer in signers}
    for name in sorted(folder.signatures.keys() - expected):
        yield bad(name, "is a signature by none of those who sign this release")
    if not folder.index.complete:
        yield good(INDEX, "was written before the release was over, so that nobody signed it yet")
        return
    if not signers:
        yield good(INDEX, "is signed by nobody, since no worker signs this release; what people said is, by each")
        return
    index = Artifact(name=INDEX, digest=digest_of(folder.listed), size=len(folder.listed))
    by_signer = [
        (signer, {name: made for name, made in folder.signatures.items() if name == f"{INDEX}{signer.suffix}"})
        for signer in signers
    ]
    report = verify_release([(index, folder.path / INDEX)], by_signer, trust_config=trust_config, offline=offline)
    for result in report.files:
        for signer, signature in zip(signers, result.signatures, strict=True):
            found = good if signature else bad
            fact = f"signed by {_named(signer)}" if signature else signature.reason or str(signature.fault)
            yield found(f"{INDEX}{signer.suffix}", fact)
        if result.problem:
            yield bad(INDEX, result.problem)


def _signers(plan: Plan, own: Rules | None) -> tuple[Signer, ...]:
    return plan.signers if own is None or own.signers is None else own.signers


def _result(
    folder: Folder, plan: Plan | None, said: Sequence[Said], own: Rules | None, checks: Sequence[Check]
) -> EvidenceResult:
    index = folder.index
    heard: list[Heard] = [one.heard for one in said]
    signers = () if plan is None else own_signers(plan.signers)
    return EvidenceResult(
        release=index.release,
        run=index.run,
        plan=index.plan,
        manifest=index.manifest,
        sandbox=index.sandbox,
        complete=index.complete,
        at=index.at,
        acts=index.acts,
        refused=sum(not one.accepted for one in heard),
        unsigned=sum(one.heard.accepted and one.proof is None for one in said),
        unsigned_allowed=plan is not None and plan.unsigned_acts,
        judged_by="the roster and the signers that the plan in the evidence names" if own is None else own.source,
        signers=tuple(_named(signer) for signer in signers),
        checks=tuple(checks),
    )


def _named(signer: OwnSigner) -> str:
    return str(trusted_signers(signer)[0])
