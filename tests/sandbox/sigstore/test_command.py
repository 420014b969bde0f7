"""``python -m baton.sandbox.sigstore`` as a process, and the real ``sigstore`` command at it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest
import requests
from sigstore.verify import Verifier, policy

from baton.sandbox.sigstore import ISSUER, SANDBOX_MARKER, machine_identity
from baton.sandbox.sigstore.tokens import TokenIssuer, github_claims
from tests.conftest import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from sigstore.models import Bundle

    from baton.sandbox.sigstore.server import LocalSigstore

MACHINE = machine_identity("release-worker")
WORKFLOW = "https://github.com/python/release/.github/workflows/release.yml@refs/tags/v3.14.1"


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, and the URL that it says it is ready at."""
    command = [sys.executable, "-m", "baton.sandbox.sigstore", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().split()[-1]
        finally:
            process.kill()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_runs_until_it_is_told_to_stop(tmp_path: Path, stop: signal.Signals) -> None:
    ready, state = tmp_path / "ready", tmp_path / "state"
    with running("--state", str(state), "--ready-file", str(ready), "--machine", "release-worker") as (process, url):
        assert ready.read_text() == f"{url}\n"
        assert httpx.get(f"{url}/trust_config.json").text == (state / "trust_config.json").read_text()
        form = {"grant_type": "client_credentials"}
        secret = (state / "machines" / "release-worker.secret").read_text()
        assert httpx.post(f"{url}/oidc/token", data=form, auth=("release-worker", secret)).status_code == 200
        process.send_signal(stop)
        output, warning = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert output == ""
    assert SANDBOX_MARKER in warning
    assert secret not in warning


def test_it_says_why_it_cannot_start(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "baton.sandbox.sigstore", "--state", str(tmp_path), "--machine", "No Name"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "error: machine name 'No Name'" in done.stderr
    assert "Traceback" not in done.stderr


def test_killed_while_many_sign_it_loses_nothing_it_gave_out(
    tmp_path: Path, sign: Callable[..., Bundle], verifier_of: Callable[[Path], Verifier]
) -> None:
    trust_config, tokens = tmp_path / "trust_config.json", TokenIssuer(tmp_path)
    given_out: list[Bundle] = []

    def sign_until_it_dies(process: subprocess.Popen[str]) -> None:
        with contextlib.suppress(requests.RequestException):
            while True:
                given_out.append(sign(trust_config, tokens.for_machine("release-worker"), b"data"))
                if len(given_out) >= 12:
                    process.kill()

    with running("--state", str(tmp_path)) as (process, _), ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            pool.submit(sign_until_it_dies, process)
    assert process.wait() == -signal.SIGKILL

    with running("--state", str(tmp_path)):
        last = sign(trust_config, tokens.for_machine("release-worker"), b"data")
    indexes = [bundle.log_entry._inner.log_index for bundle in (*given_out, last)]
    assert len(set(indexes)) == len(indexes) >= 13
    assert max(indexes) == last.log_entry._inner.log_index
    for bundle in (*given_out, last):
        verifier_of(trust_config).verify_artifact(b"data", bundle, policy.Identity(identity=MACHINE, issuer=ISSUER))


class TestSigstoreCommand:
    """``python -m sigstore``, with nothing changed but the trust configuration."""

    @staticmethod
    def run(
        instance: LocalSigstore, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "sigstore", "--trust-config", str(instance.trust_config), *arguments]
        variables = {**os.environ, **(environment or {})}
        return subprocess.run(command, capture_output=True, text=True, env=variables, check=False, timeout=PATIENCE)

    def verify(self, instance: LocalSigstore, file: Path, identity: str, issuer: str) -> int:
        expected = ("--cert-identity", identity, "--cert-oidc-issuer", issuer)
        return self.run(instance, "verify", "identity", *expected, str(file)).returncode

    def test_verifies_what_it_signed_and_nothing_else(self, instance: LocalSigstore, tmp_path: Path) -> None:
        file, tampered = tmp_path / "file", tmp_path / "tampered"
        file.write_bytes(b"data")
        tampered.write_bytes(b"datA")
        token = instance.tokens.for_machine("release-worker")
        signed = self.run(instance, "sign", "--identity-token", token, str(file))
        assert signed.returncode == 0, signed.stderr
        bundle = tmp_path / "file.sigstore.json"
        (tmp_path / "tampered.sigstore.json").write_bytes(bundle.read_bytes())
        cases = [
            (file, MACHINE, ISSUER),
            (file, machine_identity("another"), ISSUER),
            (file, MACHINE, "https://issuer.example.org"),
            (tampered, MACHINE, ISSUER),
        ]
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(lambda case: self.verify(instance, *case), cases))
        assert results == [0, 1, 1, 1]

    def test_signs_in_a_workflow_run_with_the_ambient_identity(self, instance: LocalSigstore, tmp_path: Path) -> None:
        file = tmp_path / "file"
        file.write_bytes(b"data")
        claims = github_claims("python/release", ref="refs/tags/v3.14.1")
        job = instance.tokens.github_environment(instance.url, claims)
        signed = self.run(instance, "sign", str(file), environment=job)
        assert signed.returncode == 0, signed.stderr
        expected = ("--cert-identity", WORKFLOW, "--repository", "python/release", "--ref", "refs/tags/v3.14.1")
        verified = self.run(instance, "verify", "github", *expected, "--trigger", "workflow_dispatch", str(file))
        assert verified.returncode == 0, verified.stderr
