"""How long signing a release takes, beside the command lines of sigstore and gpg over the same files, in one run.

``python benchmarks/signing.py`` prints seconds and ratios. Sigstore is the local instance in a process of its own; its
log answers at once, and then 300 ms late. Baton's time is that of a worker, which has been started before: importing
takes the time that is printed first. It includes verifying each signature, which neither command does. All take turns,
and the quickest of several runs counts, since whatever else the machine does only adds.
"""

# ruff: noqa: E402  # importing Baton is timed

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING

_BEGAN = time.perf_counter()

from baton.model.base import digest_of
from baton.model.manifest import Artifact
from baton.model.roster import OpenPgpKey, SigstoreIdentity
from baton.model.signing import GpgSigner, SigstoreInstance, SigstoreSigner
from baton.sandbox.sigstore import ISSUER, machine_identity
from baton.settings import WorkerSettings
from baton.signers import open_signer
from baton.trust.gnupg_home import open_home

_IMPORTED = time.perf_counter() - _BEGAN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.synchronize import Event

    from baton.model.signing import Signer
    from baton.signers.port import File

LATENCY = timedelta(milliseconds=300)
FILE_SIZE = 64 * 1024
RUNS = 5

SIGNER = SigstoreSigner(
    instance=SigstoreInstance.SANDBOX,
    identity=SigstoreIdentity(identity=machine_identity("signer"), issuer=ISSUER),
)


@dataclass(frozen=True)
class Instance:
    """A running local Sigstore, and a token for it."""

    trust_config: Path
    token: Path


def serve(state: str, latency: timedelta, ready: Event, stop: Event) -> None:
    from baton.sandbox.sigstore.server import local_sigstore  # noqa: PLC0415  # only this process needs it

    with local_sigstore(Path(state), log_latency=latency) as sigstore:
        Path(state, "token").write_text(sigstore.tokens.for_machine("signer"))
        ready.set()
        stop.wait()


@contextmanager
def instance(latency: timedelta) -> Iterator[Instance]:
    context = multiprocessing.get_context("spawn")
    ready, stop = context.Event(), context.Event()
    with TemporaryDirectory() as state:
        process = context.Process(target=serve, args=(state, latency, ready, stop))
        process.start()
        try:
            if not ready.wait(60):
                raise SystemExit("the local Sigstore did not start within 60 seconds")
            yield Instance(Path(state, "trust_config.json"), Path(state, "token"))
        finally:
            stop.set()
            process.join()


def make_files(folder: Path, number: int) -> list[File]:
    files = []
    for index in range(number):
        content, path = os.urandom(FILE_SIZE), folder / f"file-{index:03}.bin"
        path.write_bytes(content)
        files.append((Artifact(name=path.name, digest=digest_of(content), size=len(content)), path))
    return files


Contender = tuple[str, "Callable[[], object]", int]
"""What it is called, what it does, and how often that would have to be done for all files."""


def race(contenders: Sequence[Contender]) -> None:
    """Let them take turns, and print the seconds of each; the first is Baton."""
    best = dict.fromkeys((name for name, _, _ in contenders), float("inf"))
    for _ in range(RUNS):
        for name, act, times in contenders:
            began = time.perf_counter()
            act()
            best[name] = min(best[name], (time.perf_counter() - began) * times)
    ours = best[contenders[0][0]]
    for name, seconds in best.items():
        ratio = "" if seconds == ours else f"   baton / this = {ours / seconds:.3f}"
        print(f"  {name:<58}{seconds:8.2f} s{ratio}", flush=True)


def sign(signer: Signer, settings: WorkerSettings, files: list[File]) -> None:
    kept: dict[str, bytes] = {}
    open_signer(signer, settings).sign(files, lambda artifact, signature: kept.update({artifact.name: signature}))
    if len(kept) != len(files):
        raise SystemExit(f"{len(kept)} of {len(files)} files were signed")


def command(*words: str | Path) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{words[0]} failed: {done.stderr[-500:]}")


def sigstore_command(running: Instance, files: list[File]) -> None:
    program: list[str | Path] = [
        sys.executable,
        "-m",
        "sigstore",
        "--trust-config",
        running.trust_config,
        "sign",
        "--overwrite",
    ]
    command(*program, "--identity-token", running.token.read_text(), *(path for _, path in files))


def measure_sigstore(files: list[File], latency: timedelta) -> None:
    print(f"\nSigstore, {len(files)} files, log {latency.total_seconds() * 1000:.0f} ms late")
    with instance(latency) as running:
        settings = WorkerSettings(sigstore_trust_config=running.trust_config, identity_token_file=running.token)
        sign(SIGNER, settings, files[:1])
        race(
            [
                ("baton, one batch, each signature verified", lambda: sign(SIGNER, settings, files), 1),
                ("sigstore sign, one process for all", lambda: sigstore_command(running, files), 1),
                (
                    "sigstore sign, one process for each (one, times all)",
                    lambda: sigstore_command(running, files[:1]),
                    len(files),
                ),
            ]
        )


def measure_gpg(files: list[File]) -> None:
    print(f"\nOpenPGP, ed25519, {len(files)} files")
    # A short path: the agent's sockets lie in it.
    home = Path(mkdtemp(prefix="g-"))
    gpg = ("gpg", "--batch", "--quiet", "--homedir", home)

    def sign_each(*, verified: bool) -> None:
        for _, path in files:
            command(*gpg, "--yes", "--armor", "--detach-sign", path)
            if verified:
                command(*gpg, "--verify", f"{path}.asc", path)

    try:
        command(*gpg, "--passphrase", "", "--quick-generate-key", "benchmark", "ed25519", "sign", "1d")
        opened = open_home(home)
        [key] = opened.list_keys(secret=True)
        public = str(opened.export_keys(key["fingerprint"]))
        signer = GpgSigner(key=OpenPgpKey(fingerprint=key["fingerprint"], public_key=public))
        settings = WorkerSettings(gpg_home=home)
        race(
            [
                ("baton, one batch, each signature verified", lambda: sign(signer, settings, files), 1),
                ("gpg, one process for each", lambda: sign_each(verified=False), 1),
                ("gpg, one process to sign and one to verify each", lambda: sign_each(verified=True), 1),
            ]
        )
    finally:
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False)
        shutil.rmtree(home, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100, help="how many files to sign (default: 100)")
    number = parser.parse_args().files
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}; importing what signs: {_IMPORTED:.2f} s, once")
    with TemporaryDirectory() as folder:
        files = make_files(Path(folder), number)
        measure_sigstore(files, timedelta(0))
        measure_sigstore(files, LATENCY)
        measure_gpg(files)


if __name__ == "__main__":
    main()
