"""What a worker is there for: the duty decides which activities it offers, and so which credentials it needs."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from activities.attesting import AttestActivities
from activities.building import BuildActivities
from activities.collecting import CollectActivities
from activities.dispatching import DispatchActivities
from activities.evidence import EvidenceActivities, EvidencePublishing, EvidenceSigning
from activities.hearing import HearActivities
from activities.mandate import Mandate
from activities.outside import OutsideActivities
from activities.platform import NotaryActivities, PlatformSignActivities, PlatformVerifyActivities
from activities.publishing import PublishActivities
from activities.renewing import RenewActivities
from activities.signing import SignActivities, VerifyActivities
from activities.source import SourceActivities
from activities.telling import TellActivities
from baton.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from baton.settings import WorkerSettings


class Duty(StrEnum):
    """What a task queue's workers do.

    ``release`` follows runbooks and does what needs no special machine; ``build`` runs projects' commands, and so
    holds no credentials; ``ci`` has outside CI systems build, and holds their credentials; ``sign`` holds the keys;
    ``publish`` holds the targets.
    """

    RELEASE = "release"
    BUILD = "build"
    CI = "ci"
    SIGN = "sign"
    PUBLISH = "publish"


def duty_of(queue: str) -> Duty:
    """The duty that a queue's name says: its own name if that is a duty, signing after ``sign-``, else building."""
    if queue in tuple(Duty):
        return Duty(queue)
    return Duty.SIGN if queue.startswith("sign-") else Duty.BUILD


def activities_for(duty: Duty, settings: WorkerSettings) -> list[Callable[..., Any]]:
    """The activities that a worker of this duty offers, ready to run with its settings.

    Raises:
        BatonError: the settings do not fit together.
    """
    store = open_store(settings.store)
    match duty:
        case Duty.BUILD:
            builds = BuildActivities(store, settings)
            return [builds.build_step, builds.run_check]
        case Duty.CI:
            outside = OutsideActivities(store, settings)
            return [
                outside.order_run,
                outside.follow_run,
                outside.retry_run,
                outside.collect_run,
                outside.cancel_run,
            ]
        case Duty.SIGN:
            attesting = AttestActivities(store, settings)
            agreed, dispatching = Mandate(store, settings).to_sign_within, DispatchActivities(store, settings)
            within, notary = PlatformSignActivities(store, settings, agreed), NotaryActivities(store, settings, agreed)
            return [
                SignActivities(store, settings).sign_files,
                attesting.attest_files,
                attesting.attest_release,
                dispatching.order_signing,
                dispatching.follow_signing,
                dispatching.retry_signing,
                dispatching.collect_signing,
                dispatching.cancel_signing,
                EvidenceSigning(store, settings).sign_evidence,
                within.sign_platform,
                within.staple,
                notary.submit_notarization,
                notary.await_notarization,
            ]
        case Duty.PUBLISH:
            publishing, renewing = PublishActivities(store, settings), RenewActivities(store, settings)
            return [
                publishing.stage,
                publishing.promote,
                publishing.check_public,
                publishing.unstage,
                renewing.take_stock,
                renewing.renew_signatures,
                EvidencePublishing(store, settings).publish_evidence,
            ]
        case Duty.RELEASE:
            source = SourceActivities(store, settings)
            collecting = CollectActivities(store, settings)
            hearing = HearActivities(store, settings)
            verifying = VerifyActivities(store, settings)
            return [
                hearing.keep_plan,
                hearing.take_plan,
                hearing.prove_act,
                hearing.keep_joint,
                source.prepare_source,
                source.offer_source,
                source.withdraw_source,
                source.push_tag,
                source.forget_source,
                collecting.take_provided,
                collecting.inspect_step,
                collecting.compare_steps,
                collecting.describe_files,
                collecting.make_manifest,
                PlatformVerifyActivities(store, settings).verify_authenticode,
                verifying.take_signatures,
                verifying.verify_signatures,
                TellActivities(settings).tell,
                EvidenceActivities(store).write_evidence,
            ]
