"""Which signatures of people a release waits for, and whether somebody may make them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baton.cli.exits import WrongCall
from baton.model.base import canonical_json, digest_of
from baton.model.errors import Refused
from baton.model.signing import HumanSigner, HumanSigstoreSigner, who_may_sign
from baton.model.status import StepState
from baton.signers.keeping import KeptSignatures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from baton.cli.standing import Standing
    from baton.model.manifest import Artifact, Manifest
    from baton.model.roster import Person
    from baton.model.signing import OpenPgpPerson, SigstorePerson
    from baton.model.status import StepStatus


@dataclass(frozen=True)
class WaitingSigner:
    """Signatures that a release waits for from people.

    Attributes:
        signer: who may make them.
        step: the unit of work that waits.
        entry: what the plan lists of the person who is about to.
    """

    signer: HumanSigner
    step: StepStatus
    entry: SigstorePerson | OpenPgpPerson

    def kept(self, folder: Path, manifest: Manifest) -> KeptSignatures:
        """Where this person's signatures are kept until the release has them."""
        signer = digest_of(canonical_json(self.signer)).removeprefix("sha256:")[:16]
        name = f"{manifest.digest.removeprefix('sha256:')}-{signer}-{self.entry.person}"
        return KeptSignatures(folder / name)

    def checked(
        self,
        files: Sequence[tuple[Artifact, Path | None]],
        made: Mapping[Artifact, bytes],
        trust_config: Path | None,
        kept: KeptSignatures,
    ) -> dict[str, bytes]:
        """The signatures by their names, verified as the release will.

        Raises:
            Refused: they do not count; none is kept any more, so that the next try makes them anew.
            BatonError: as :func:`baton.trust.release.verify_release`.
        """
        # Importing the sigstore library takes half a second, which only those wait for who sign.
        from baton.trust.release import verify_release  # noqa: PLC0415

        signatures = {f"{file.name}{self.signer.suffix}": signature for file, signature in made.items()}
        report = verify_release(files, [(self.signer, signatures)], trust_config=trust_config)
        if not report:
            kept.drop()
            raise Refused(
                f"what was signed does not count: {'; '.join(report.failures[:5])}. {who_may_sign(self.signer)}. "
                "Nothing was handed in"
            )
        return signatures


def waiting_signer(standing: Standing, kind: str | None, person: Person) -> WaitingSigner:
    """The signatures that a release waits for from somebody.

    Args:
        standing: the release as it stands.
        kind: ``sigstore`` or ``gpg``; None for the one that waits.
        person: who wants to sign.

    Raises:
        WrongCall: it waits for both kinds, and none was chosen.
        Refused: it waits for none, or not for this person; the message names who may sign instead.
    """
    release, status = standing.plan.release, standing.status
    steps = {} if status is None else {step.name: step for step in status.steps}
    signers = [
        signer for signer in standing.plan.signers if isinstance(signer, HumanSigner) and kind in (None, _kind(signer))
    ]
    if not signers:
        asked = "people" if kind is None else f"people with {kind}"
        made = ", ".join(signer.kind for signer in standing.plan.signers)
        raise Refused(f"{release} is not signed by {asked}; by its plan it is by {made}")
    waiting = [signer for signer in signers if steps[_unit(signer)].state is StepState.NEEDS_DECISION]
    if not waiting:
        where = ", ".join(f"{_unit(signer)} is {steps[_unit(signer)].state}" for signer in signers)
        raise Refused(f"{release} waits for nobody's signatures now: {where}")
    theirs = [found for signer in waiting if (found := _for(signer, steps[_unit(signer)], person)) is not None]
    if not theirs:
        who = "; ".join(who_may_sign(signer) for signer in waiting)
        raise Refused(f"the plan of {release} lists nothing of {person.id} that signs its files. {who}")
    if len(theirs) > 1:
        raise WrongCall(f"{release} waits for two kinds of your signatures: say which with --sigstore or --gpg")
    return theirs[0]


def _for(signer: HumanSigner, step: StepStatus, person: Person) -> WaitingSigner | None:
    entry = next((one for one in signer.people if one.person == person.id), None)
    return None if entry is None else WaitingSigner(signer, step, entry)


def _kind(signer: HumanSigner) -> str:
    return "sigstore" if isinstance(signer, HumanSigstoreSigner) else "gpg"


def _unit(signer: HumanSigner) -> str:
    return f"sign-{signer.kind}"
