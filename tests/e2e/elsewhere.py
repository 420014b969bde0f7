"""A workflow that signs by digest, on a simulator of GitHub that speaks TLS, and a worker that dies having it do so."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from baton.git import git
from baton.sandbox.fake_ci.github import Access, GitHubConfig, GitHubSimulator, Workflow, github_simulator
from baton.sandbox.fake_ci.runs import Recipe
from baton.sandbox.sigstore.tokens import github_claims
from tests.certificates import throw_away_certificate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from baton.sandbox.sigstore.server import LocalSigstore

REPOSITORY, OTHER = "example/tiny", "example/other"
IDENTITIES = {
    repository: f"https://github.com/{repository}/.github/workflows/sign.yml@refs/heads/main"
    for repository in (REPOSITORY, OTHER)
}
DEATHS = ("order_signing-unrecorded", "collect_signing-before")
"""A run is started and nobody knows it, and a run is through and its bundles are about to be fetched."""

STREAM = """
[streams."3"]
status = "bugfix"

[streams."3".signing]
sigstore = "dispatched"
gpg = "none"

[streams."3".signing.dispatched]
identity = "{identity}"

[streams."3".signing.dispatched.run]
kind = "github-actions"
repository = "{repository}"
workflow = "sign.yml"
ref = "{ref}"
inputs = {{ baton = "{{key}}", commit = "{{commit}}", suffix = ".sigstore.json" }}
artifacts = ["bundles"]
proof = "run-name"
api = "{api}"
token-from = "SIGN_TOKEN"
"""
_TOKEN = "ghp_that-starts-the-workflow"  # noqa: S105  # known to the simulator alone
_SCRIPT = Path(__file__).parents[2] / "examples/cpython/sign_digests.py"
_SIGN = """
import os, pathlib, runpy, sys
script, token, sys.argv = sys.argv[1], sys.argv[2], ["sign", "bundles", sys.argv[3]]
os.environ["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = pathlib.Path(token).read_text()
os.environ |= {"DIGESTS": os.environ["INPUT_DIGESTS"], "SUFFIX": os.environ["INPUT_SUFFIX"]}
runpy.run_path(script, run_name="__main__")
"""


@dataclass(frozen=True)
class Elsewhere:
    """The workflow and what a worker needs to start it; at first it runs as that of another repository.

    Attributes:
        stream: the stream 3 that it signs, for release.toml.
        worker: the environment of a worker that may start it.
    """

    simulator: GitHubSimulator
    sigstore: LocalSigstore
    stream: str
    worker: Mapping[str, str]
    _token: Path

    def runs_as(self, repository: str) -> None:
        """Whose workflow GitHub says it is from now on."""
        claims = github_claims(repository, workflow="sign.yml")
        job = self.sigstore.tokens.github_environment(self.sigstore.url, claims)
        self._token.write_text(job["ACTIONS_ID_TOKEN_REQUEST_TOKEN"])


@contextlib.contextmanager
def signing_elsewhere(folder: Path, repository: Path, sigstore: LocalSigstore) -> Iterator[Elsewhere]:
    """Serves it; the folder gets its runs."""
    folder.mkdir()
    certificate, token = throw_away_certificate(folder / "server.pem"), folder / "token"
    job = sigstore.tokens.github_environment(sigstore.url, github_claims(OTHER))
    recipe = Recipe(
        commands=((sys.executable, "-c", _SIGN, str(_SCRIPT), str(token), str(sigstore.trust_config)),),
        artifacts={"bundles": "bundles"},
        environment=job,
    )
    workflow = Workflow(
        repository=repository,
        full_name=REPOSITORY,
        file="sign.yml",
        run_name="Sign at ${{ inputs.commit }} for ${{ inputs.baton }}",
        inputs=("baton", "commit", "suffix", "digests"),
        recipe=recipe,
    )
    config = GitHubConfig(workflow=workflow, access=Access(token=_TOKEN))
    with github_simulator(config, folder / "runs", certificate=certificate) as simulator:
        stream = STREAM.format(
            identity=IDENTITIES[REPOSITORY],
            repository=REPOSITORY,
            ref=git("symbolic-ref", "--short", "HEAD", folder=repository),
            api=simulator.url,
        )
        worker = {"SIGN_TOKEN": _TOKEN, "SSL_CERT_FILE": str(certificate)}
        made = Elsewhere(simulator, sigstore, stream, worker, token)
        made.runs_as(OTHER)
        yield made
