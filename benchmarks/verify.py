"""How fast `baton verify` is beside the tools that it can take the place of: ``python benchmarks/verify.py``.

The same files, signed once by a Sigstore instance on this machine and by an OpenPGP key, are verified by each. What
matters is the ratio of two rows of one run; the seconds depend on the machine and on who else uses it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from sigstore.models import ClientTrustConfig
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext

from baton.model.signing import SigstoreInstance
from baton.sandbox.sigstore import ISSUER, machine_identity
from baton.sandbox.sigstore.server import local_sigstore
from baton.trust.gnupg_home import temporary_home
from baton.trust.identities import TrustedIdentities, TrustedKey, TrustedSigstoreIdentity, TrustedStream, Who
from baton.trust.verifiers import usable_cores

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SIGNER = "signer"
ONE_EACH = "sigstore, one process per file"
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Row:
    """One way to verify all files.

    Attributes:
        seconds: the median of the rounds.
        ratio: of `baton verify` on the same signatures to this; below 1, Baton takes less time.
    """

    signatures: str
    way: str
    seconds: float
    ratio: float


class Bench:
    """Files with both kinds of signature, in a folder for each kind, and the commands that verify them."""

    def __init__(self, folder: Path, home: Path, files: int, size: int) -> None:
        self._home = home
        self._identities = folder / "identities.json"
        self.bundled = [folder / "bundled" / f"hello-1.0-{number}.bin" for number in range(files)]
        self.armoured = [folder / "armoured" / file.name for file in self.bundled]
        for file in (*self.bundled, *self.armoured):
            file.parent.mkdir(exist_ok=True)
        for bundled, armoured in zip(self.bundled, self.armoured, strict=True):
            bundled.write_bytes(os.urandom(size))
            os.link(bundled, armoured)

    def sign(self, trust_config: Path, token: str) -> None:
        """Make all signatures, and the list that says whose they are."""
        config = ClientTrustConfig.from_json(trust_config.read_text())
        with SigningContext.from_trust_config(config).signer(IdentityToken(token)) as signer:
            for file in self.bundled:
                bundle = signer.sign_artifact(file.read_bytes()).to_json()
                file.with_name(f"{file.name}.sigstore.json").write_text(bundle)
        self._gpg("--passphrase", "", "--quick-generate-key", "Benchmark", "ed25519", "sign", "0")
        for file in self.armoured:
            self._gpg("--armor", "--detach-sign", file)
        listing = self._gpg("--list-keys", "--with-colons").decode()
        fingerprint = next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr:"))
        machine = TrustedSigstoreIdentity(identity=machine_identity(SIGNER), issuer=ISSUER, who=Who.MACHINE)
        public_key = self._gpg("--armor", "--export").decode()
        key = TrustedKey(fingerprint=fingerprint, public_key=public_key, who=Who.MACHINE)
        document = TrustedIdentities(
            project="hello",
            sigstore=SigstoreInstance.SANDBOX,
            issued=datetime.now(UTC).date(),
            streams=(TrustedStream(name="*", trusted=(machine, key)),),
        )
        self._identities.write_text(document.model_dump_json(by_alias=True, exclude_none=True))

    def ways(self, trust_config: Path) -> Iterator[tuple[str, str, list[list[str | Path]], int]]:
        """Each way: its kind of signature, its name, its commands, and how many of them run at once."""
        scripts = Path(sysconfig.get_path("scripts"))
        baton: list[str | Path] = [sys.executable, ROOT / "starter.py", "verify", "--identities", self._identities]
        baton += ["--trust-config", trust_config]
        sigstore: list[str | Path] = [scripts / "sigstore", "--trust-config", trust_config, "verify", "identity"]
        sigstore += ["--cert-identity", machine_identity(SIGNER), "--cert-oidc-issuer", ISSUER]
        gpg: list[list[str | Path]] = [
            ["gpg", "--homedir", self._home, "--verify", f"{file}.asc", file] for file in self.armoured
        ]
        yield "sigstore", "baton verify", [[*baton, self.bundled[0].parent]], 1
        yield "sigstore", "sigstore, one process for all", [[*sigstore, *self.bundled]], 1
        if not os.environ.get("X"):
            yield "sigstore", ONE_EACH, [[*sigstore, file] for file in self.bundled], 1
        yield "openpgp", "baton verify", [[*baton, self.armoured[0].parent]], 1
        yield "openpgp", "gpg, one process per file", gpg, 1
        yield "openpgp", "gpg, one process per file, on every core", gpg, usable_cores()

    def _gpg(self, *arguments: str | Path) -> bytes:
        command = ["gpg", "--batch", "--quiet", "--homedir", self._home, *arguments]
        return subprocess.run(command, capture_output=True, check=True).stdout


def run(commands: Sequence[Sequence[str | Path]], at_once: int) -> float:
    """How long the commands take, in seconds; each must succeed."""
    started = time.perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(lambda command: subprocess.run(command, capture_output=True, check=True), commands))
    return time.perf_counter() - started


def measure(files: int, size: int, rounds: int, *, single: bool) -> list[Row]:
    """Time every way, round by round, so that a busy minute of the machine is everyone's.

    Args:
        single: also the sigstore command with one process for each file, which takes minutes.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="baton-bench-")))
        home = stack.enter_context(temporary_home())
        bench = Bench(folder, home, files, size)
        with local_sigstore(folder / "sigstore") as instance:
            bench.sign(instance.trust_config, instance.tokens.for_machine(SIGNER))
            ways = [way for way in bench.ways(instance.trust_config) if single or way[1] != ONE_EACH]
        taken: list[list[float]] = [[] for _ in ways]
        for _ in range(rounds):
            for times, (_kind, _way, commands, at_once) in zip(taken, ways, strict=True):
                times.append(run(commands, at_once))
    medians = [statistics.median(times) for times in taken]
    own = {kind: median for (kind, way, *_), median in zip(ways, medians, strict=True) if way == "baton verify"}
    return [Row(kind, way, median, own[kind] / median) for (kind, way, *_), median in zip(ways, medians, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--files", type=int, default=100)
    parser.add_argument("--size", type=int, default=256 * 1024, help="bytes of each file")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help=f"leave out: {ONE_EACH}")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a table")
    options = parser.parse_args()
    rows = measure(options.files, options.size, options.rounds, single=not options.quick)
    if options.json:
        facts = {"files": options.files, "size": options.size, "rounds": options.rounds, "cores": usable_cores()}
        print(json.dumps({**facts, "rows": [asdict(row) for row in rows]}, indent=2))
        return
    title = (
        f"{options.files} files of {options.size:,} bytes, {usable_cores()} cores, median of {options.rounds} rounds"
    )
    table = Table("Signatures", "Way", "Seconds", "Baton's share", title=title)
    for row in rows:
        table.add_row(row.signatures, row.way, f"{row.seconds:.2f}", f"{row.ratio:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
