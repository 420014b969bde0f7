"""Bundles verified by several processes: the same answers, and a clean end however it comes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from baton.model.errors import Failed
from baton.model.signing import SigstoreInstance
from baton.trust import Trust, shipped_identities
from baton.trust.digests import load_digests
from baton.trust.instances import trust_configuration
from baton.trust.processes import SigstoreProcesses
from baton.trust.subjects import find_subjects
from baton.trust.verification import verify_subjects
from baton.trust.verifiers import open_verifiers
from tests.conftest import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

BUNDLES = Path(__file__).parent / "bundles"
STARTER = Path(__file__).parents[2] / "starter.py"
CPYTHON = shipped_identities("cpython")
SUBJECTS = find_subjects([BUNDLES], load_digests(BUNDLES / "digests.json"))


@pytest.fixture(scope="module")
def processes() -> Iterator[SigstoreProcesses]:
    with SigstoreProcesses(trust_configuration(SigstoreInstance.PUBLIC, offline=True), 2) as running:
        yield running


def test_processes_give_the_answers_that_this_one_gives(processes: SigstoreProcesses) -> None:
    trust = Trust(CPYTHON, offline=True)
    with open_verifiers(SUBJECTS, trust, processes=8) as here:
        assert not isinstance(here.sigstore, SigstoreProcesses), "a few bundles are not worth a process"
        assert here.sigstore is not None
        for subject in SUBJECTS:
            assert subject.digest is not None
            bundle = subject.signatures[0].read_bytes()
            for content in (bundle, bundle[:-9], b"junk"):
                for stream in CPYTHON.streams:
                    asked = (content, subject.digest, stream.trusted)
                    assert processes.verify(*asked, source="x") == here.sigstore.verify(*asked, source="x")


def test_many_bundles_are_verified_by_several_processes() -> None:
    many = SUBJECTS * 63
    trust = Trust(CPYTHON, offline=True)
    with open_verifiers(many, trust, processes=2) as verifiers:
        assert isinstance(verifiers.sigstore, SigstoreProcesses)
    report = verify_subjects(many, trust, processes=2)
    assert report, report.failures
    assert [file.name for file in report.files] == [subject.name for subject in many], "in the order asked"


def test_a_process_that_is_ended_from_outside_is_told() -> None:
    subject = SUBJECTS[0]
    assert subject.digest is not None
    asked = (subject.signatures[0].read_bytes(), subject.digest, CPYTHON.streams[0].trusted)
    with SigstoreProcesses(trust_configuration(SigstoreInstance.PUBLIC, offline=True), 1) as one:
        one.verify(*asked, source="x")
        [worker] = one._pool._processes
        os.kill(worker, signal.SIGKILL)
        with pytest.raises(Failed, match="ended from outside"):
            # Until the pool has noticed, it may hand the work to nobody.
            one.verify(*asked, source="x")


def test_interrupting_ends_the_command_and_its_processes_at_once(tmp_path: Path) -> None:
    listed = json.loads((BUNDLES / "digests.json").read_text())["3.14.0"]["Python-3.14.0.tgz"]
    names = [f"Python-3.14.0-{number}.tgz" for number in range(1500)]
    for name in names:
        shutil.copy(BUNDLES / "Python-3.14.0.tgz.sigstore", tmp_path / f"{name}.sigstore")
    digests = tmp_path / "digests.json"
    digests.write_text(json.dumps({"3.14.0": dict.fromkeys(names, listed)}))
    options = ["--project", "cpython", "--offline", "--digests", str(digests)]
    command = [sys.executable, str(STARTER), "verify", *options, str(tmp_path)]

    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    try:
        family = grown_family(psutil.Process(running.pid))
        os.killpg(running.pid, signal.SIGINT)
        output, errors = running.communicate(timeout=PATIENCE)
    finally:
        running.kill()
    assert running.returncode == 130
    assert output == b""
    assert b"Traceback" not in errors, errors.decode()
    _, alive = psutil.wait_procs(family, timeout=PATIENCE)
    assert not alive


def grown_family(parent: psutil.Process) -> list[psutil.Process]:
    """The command's processes, once some of them verify."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        family = parent.children(recursive=True)
        if sum(member.cpu_times().user > 0.2 for member in family) > 1:
            return family
        time.sleep(0.05)
    raise AssertionError(f"no processes verify: {family}")
