"""The evidence of a whole release, made once and copied by each test that changes it."""

from __future__ import annotations

import shutil
import tempfile
import threading
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from baton.cli.main import run
from baton.evidence.folder import export
from baton.evidence.verify import verify_evidence
from baton.proof.openpgp_key import OpenPgpSigningKey
from baton.proof.ssh_key import SshSigningKey
from baton.sandbox.sigstore import ISSUER, machine_identity
from baton.settings import WorkerSettings
from baton.store import LocalStore
from tests.evidence.story import plan_of, released
from tests.proof.conftest import Gnupg, gnupg, instance, make_ssh_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from temporalio.testing import WorkflowEnvironment

    from baton.evidence.result import EvidenceResult
    from baton.model.plan import Plan
    from baton.model.status import ReleaseStatus
    from baton.sandbox.sigstore.server import LocalSigstore

__all__ = ["gnupg", "instance"]


@dataclass(frozen=True)
class Told:
    """A finished release and what it left behind.

    Attributes:
        folder: the evidence, exported.
        so_far: what `baton evidence` wrote while it waited at its last gate.
        served: the folder that is public.
        address: of the Temporal server that still knows it.
        first: the plan that it was started with.
    """

    folder: Path
    so_far: Path
    served: Path
    store: LocalStore
    settings: WorkerSettings
    first: Plan
    status: ReleaseStatus
    trust_config: Path
    address: str

    def verify(self, folder: Path | None = None) -> EvidenceResult:
        return verify_evidence(folder or self.folder, trust_config=self.trust_config)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def public() -> Iterator[tuple[Path, str]]:
    """A folder for the sandbox target, and the address that serves it."""
    with tempfile.TemporaryDirectory(prefix="ev-") as root:
        served = Path(root) / "public"
        served.mkdir()
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(served)))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield Path(root), f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="session")
async def told(
    temporal: WorkflowEnvironment,
    gnupg: Gnupg,  # the fixture of that name
    instance: LocalSigstore,  # as above
    public: tuple[Path, str],
) -> Told:
    """The release of the story."""
    root, url = public
    team, grace = gnupg.make("Team <team@example.org>"), gnupg.make("Grace <grace@example.org>")
    (root / "token").write_text(instance.tokens.for_machine("signer"))
    settings = WorkerSettings(
        store=str(root / "store"),
        workspace=root / "work",
        sandbox=root,
        gpg_home=gnupg.home,
        sigstore_trust_config=instance.trust_config,
        identity_token_file=root / "token",
        public_root=root,
        public_url=url,
    )
    keys: dict[str, SshSigningKey | OpenPgpSigningKey] = {
        name: SshSigningKey(make_ssh_key(root / name), root / name) for name in ("ada", "katherine", "mallory")
    }
    keys["grace"] = OpenPgpSigningKey(gnupg.listed(grace), grace)
    machine = {"identity": machine_identity("signer"), "issuer": ISSUER}
    signers = [
        {"kind": "sigstore", "instance": "sandbox", "identity": machine},
        {"kind": "gpg", "key": gnupg.listed(team).model_dump()},
    ]
    plan = plan_of(keys, signers)
    with pytest.MonkeyPatch.context() as patch:
        # Where grace's own gpg looks.
        patch.setenv("GNUPGHOME", str(gnupg.home))
        patch.setenv("TEMPORAL_ADDRESS", temporal.client.service_client.config.target_host)
        patch.setenv("BATON_STORE", settings.store)
        so_far = ["evidence", "hello/1.0.0", "--to", str(root / "so-far")]
        status = await released(temporal, settings, plan, keys, under_way=lambda: run(so_far))
    store = LocalStore(Path(settings.store))
    assert status.evidence is not None
    folder = export(store, status.evidence, root / "evidence")
    address = temporal.client.service_client.config.target_host
    return Told(folder, root / "so-far", root / "public", store, settings, plan, status, instance.trust_config, address)


@pytest.fixture
def copy(told: Told, tmp_path: Path) -> Path:
    """The evidence, to be changed."""
    return shutil.copytree(told.folder, tmp_path / "evidence")
