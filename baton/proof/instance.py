"""Which Sigstore's word counts for people, loaded when it is first needed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from sigstore.models import ClientTrustConfig

    from baton.model.signing import SigstoreInstance
    from baton.trust.sigstore import SigstoreTrust


@dataclass(frozen=True)
class Sigstore:
    """An instance. Keep one for a process: loading it takes half a second, and the public ones may ask the network.

    Attributes:
        instance: which one.
        trust_config: its client trust configuration, which the sandbox's needs.
        offline: take the trust root that is at hand, instead of refreshing it.
    """

    instance: SigstoreInstance
    trust_config: Path | None = None
    offline: bool = False

    @cached_property
    def config(self) -> ClientTrustConfig:
        """Its trust configuration; see :func:`baton.trust.instances.trust_configuration` for what can go wrong."""
        # Importing the sigstore library takes half a second, which only those wait for who need it.
        from baton.trust.instances import trust_configuration  # noqa: PLC0415

        return trust_configuration(self.instance, self.trust_config, offline=self.offline)

    @cached_property
    def trust(self) -> SigstoreTrust:
        """What verifies its bundles; fails as :attr:`config` does."""
        from baton.trust.sigstore import SigstoreTrust  # noqa: PLC0415  # as above

        return SigstoreTrust(self.config)
