"""What signatures a policy has the files of a stream carry on a day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baton.policy.listed import list_of_policy, published_list, require_real, signers_on
from baton.project.check_identities import holds
from baton.project.signing_policy import policy_of
from baton.trust.identities import SignatureKind, TrustedIdentities, signature_kind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from baton.project.read import Project
    from baton.trust.identities import TrustedIdentity


@dataclass(frozen=True)
class Expected:
    """The signatures that each file has to have.

    Attributes:
        required: of each of these kinds one; by one of the named signers, or, where none is named, by anybody whose
            signature counts. With no kind at all, one of any kind has to count.
        allowed: the kinds that may be there.
    """

    required: Mapping[SignatureKind, tuple[TrustedIdentity, ...]]
    allowed: frozenset[SignatureKind]


@dataclass(frozen=True)
class Policy:
    """Who signs a project's files.

    Attributes:
        listed: whose signatures count for each stream, and when.
        project: says besides who signs on which day; None where there is the list alone.
    """

    listed: TrustedIdentities
    project: Project | None = None

    def on(self, stream: str, day: date) -> Expected:
        """What files of a stream have to carry that were released on that day, in UTC."""
        counting = self.listed.matching(stream, day)
        kinds = frozenset(map(signature_kind, counting))
        if self.project is None or stream not in self.project.settings.streams:
            requires = next((one.requires for one in self.listed.streams if one.name == stream), ())
            return Expected(required=dict.fromkeys(requires, ()), allowed=kinds)
        signers = signers_on(self.project, policy_of(self.project.settings, stream, day))
        required = {kind: _counting(signers, counting, kind) for kind in map(signature_kind, signers) if kind in kinds}
        return Expected(required=required, allowed=kinds | frozenset(map(signature_kind, signers)))


def policy_of_project(project: Project, today: date) -> Policy:
    """What a project's `release.toml` says, with the list that it names; of what that lacks, `release.toml` decides.

    Raises:
        Missing, Invalid: the list can't be used.
        Refused: the project is only ever rehearsed.
    """
    require_real(project)
    own = list_of_policy(project, today)
    listed = published_list(project)
    if listed is None:
        return Policy(own, project)
    known = {stream.name for stream in listed.streams}
    lacking = tuple(stream for stream in own.streams if stream.name not in known)
    return Policy(listed.model_copy(update={"streams": (*listed.streams, *lacking)}), project)


def _counting(
    signers: tuple[TrustedIdentity, ...], counting: tuple[TrustedIdentity, ...], kind: SignatureKind
) -> tuple[TrustedIdentity, ...]:
    """The signers of that kind whose signatures of the day count; none if it was others whose did."""
    own = (one for one in signers if signature_kind(one) is kind)
    return tuple(one for one in own if any(holds(entry, one) for entry in counting))
