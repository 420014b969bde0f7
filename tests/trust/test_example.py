"""The program that docs/verify.md shows for bundles does what the page says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "verify.md"
BUNDLES = Path(__file__).parent / "bundles"


def run_example(folder: Path) -> subprocess.CompletedProcess[str]:
    programs = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    [program] = [each for each in programs if 'Path("bundles")' in each]
    return subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=os.environ, capture_output=True, text=True, check=False
    )


def test_the_example_verifies_cpythons_bundles_and_says_who_signed_them(tmp_path: Path) -> None:
    shutil.copytree(BUNDLES, tmp_path / "bundles")
    good = run_example(tmp_path)
    assert good.returncode == 0, good.stderr
    assert "Python-3.14.0.tgz 3.14 hugo@python.org True" in good.stdout

    listed = tmp_path / "bundles/digests.json"
    listed.write_text(re.sub('"sha256": "[0-9a-f]{8}', '"sha256": "00000000', listed.read_text()))
    bad = run_example(tmp_path)
    assert bad.returncode == 1
    assert "Python-3.14.0.tgz: Python-3.14.0.tgz.sigstore: " in bad.stderr
