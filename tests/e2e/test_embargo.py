"""A release that nobody can read who has no key: not in the database, not in a log; and people who can, do."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from datetime import date
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import async_playwright, expect

from baton.codec.files import write_lines
from baton.codec.readers import new_token
from baton.model.status import Phase
from baton.sandbox.embedded import EmbeddedWorld
from baton.store.closed import opening
from tests.conftest import executable
from tests.e2e.conftest import Baton, start, tiny_plan
from tests.e2e.test_people import CHROMIUM, is_waiting_for, send_signal
from tests.e2e.traces import forms, traces
from tests.project.conftest import REAL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.e2e

TITLE, COMMIT, FAILURE, DECISION, AGREED, CONTENT = SECRETS = (
    "cve-2026-title", "cve-2026-commit", "cve-2026-failure", "cve-2026-decision", "cve-2026-agreed", "cve-2026-content",
)  # fmt: skip

BUILD = """
import os, pathlib, sys
if not pathlib.Path(os.environ["NEEDS"]).exists():
    sys.exit(f"{FAILURE}: the fix does not apply")
out = pathlib.Path("dist")
out.mkdir()
(out / "tiny.txt").write_text("{CONTENT}\\n")
"""


@pytest.fixture(scope="module")
def encrypted_world(folder: Path) -> Iterator[EmbeddedWorld]:
    queues = ("release", "build", "sign", "publish")
    with EmbeddedWorld.start(folder / "w", queues=queues, encrypted=True) as world:
        yield world


@pytest.fixture(scope="module")
def ada(encrypted_world: EmbeddedWorld) -> Baton:
    return Baton(encrypted_world.facts.state)


@pytest.fixture(scope="module")
def project(folder: Path) -> tuple[Path, str]:
    """A project whose every part tells what it is about."""
    repository = folder / "tiny"
    repository.mkdir()
    build = BUILD.replace("{FAILURE}", FAILURE).replace("{CONTENT}", CONTENT).replace('f"', '"')
    (repository / "build.py").write_text(build)
    git = ["git", "-C", str(repository), "-c", "user.name=Tiny", "-c", "user.email=tiny@example.org"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", f"Fix {COMMIT}"]):
        subprocess.run([*git, *command], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    return repository, commit


class CodecServer:
    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.token = token


@pytest.fixture(scope="module")
def codec_server(encrypted_world: EmbeddedWorld, folder: Path) -> Iterator[CodecServer]:
    (folder / "release.toml").write_text(REAL.replace('name = "spam"', 'name = "tiny"'))
    kept, secret = new_token("ada", date.max)
    write_lines(folder / "readers", [kept.line])
    command = [executable("baton"), "codec", "serve", "--port=0", f"--tokens={folder / 'readers'}"]
    environment = {
        **os.environ,
        "BATON_CODEC_KEYS_FILE": str(encrypted_world.facts.codec_keys),
        "BATON_PROJECTS": str(folder / "release.toml"),
    }
    origin = f"--origin={encrypted_world.facts.ui_url}"
    with subprocess.Popen([*command, origin], env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        yield CodecServer(process.stderr.readline().split()[-1], secret)
        process.terminate()


async def test_a_release_under_embargo_leaves_no_trace_of_what_it_is_about(
    encrypted_world: EmbeddedWorld, ada: Baton, folder: Path, project: tuple[Path, str], codec_server: CodecServer
) -> None:
    fix = folder / "fix"
    await start(encrypted_world, tiny_plan(encrypted_world.facts, project, "2.0", needs=fix, title=TITLE))
    status = await ada.until("tiny/2.0", is_waiting_for("text"))
    assert FAILURE in status.waiting[0].why
    fix.touch()
    ada("decide", "tiny/2.0", "text", "retry", "--reason", DECISION, "--yes")
    status = await ada.until("tiny/2.0", is_waiting_for("publish"))
    for folder_ in (encrypted_world.state.store, encrypted_world.state.target / "staging"):
        assert folder_.is_dir()
        assert opening(folder_) is None
    await _agreed_in_the_web_ui(encrypted_world, codec_server, status.run, status.waiting[0].message)
    await ada.until("tiny/2.0", lambda status: status.phase is Phase.RELEASED)
    said = ada("log", "tiny/2.0")
    assert all(word in said for word in (DECISION, AGREED, FAILURE))
    assert traces(encrypted_world, *SECRETS) == []


async def _agreed_in_the_web_ui(world: EmbeddedWorld, codec_server: CodecServer, run: str, message: str) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        page = await browser.new_page(viewport={"width": 1400, "height": 1250})
        page.set_default_timeout(60_000)
        where = f"{world.facts.ui_url}/namespaces/default/workflows/release%2Ftiny%2F2.0/{run}"
        await page.goto(where)
        settings = {"endpoint": codec_server.url, "includeCredentials": True, "overrideRemoteCodecConfiguration": True}
        for name, value in settings.items():
            await page.evaluate("([name, value]) => localStorage.setItem(name, value)", [name, json.dumps(value)])
        await page.goto(f"{codec_server.url}/sign-in")
        await page.get_by_label("Your token").fill(codec_server.token)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_text("This browser is signed in")).to_be_visible()
        await page.goto(f"{where}/user-metadata")
        details = page.frame_locator("iframe").get_by_text("Waits for a sign-off: publish")
        async with asyncio.timeout(120):
            while not await details.first.is_visible():
                # What was asked before the settings took effect stays as it was until it is asked again.
                await page.keyboard.press("r")
                await asyncio.sleep(1)
        await send_signal(page, "sign_off", json.dumps({**json.loads(message), "reason": AGREED}))
        await browser.close()


def _shown(world: EmbeddedWorld, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            executable("temporal"), "workflow", "show", "--workflow-id", "release/tiny/2.0", "--output", "json",
            "--address", world.facts.temporal_address, *options,
        ],
        env={"PATH": os.environ["PATH"], "HOME": str(world.state.folder), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )  # fmt: skip


async def test_the_temporal_cli_reads_it_with_a_token_and_not_without(
    encrypted_world: EmbeddedWorld, codec_server: CodecServer
) -> None:
    def tells(done: subprocess.CompletedProcess[str]) -> bool:
        return any(form in done.stdout.encode() for form in forms(TITLE))

    endpoint = {"TEMPORAL_CODEC_ENDPOINT": codec_server.url}
    unread = await asyncio.to_thread(_shown, encrypted_world)
    assert (unread.returncode, tells(unread)) == (0, False)
    # The CLI asks a server that refuses it again and again, until its time is over.
    refused = await asyncio.to_thread(_shown, encrypted_world, "--command-timeout=2s", **endpoint)
    assert (refused.returncode, tells(refused)) == (1, False)
    auth = {"TEMPORAL_CODEC_AUTH": f"Bearer {codec_server.token}"}
    read = await asyncio.to_thread(_shown, encrypted_world, **endpoint, **auth)
    assert (read.returncode, tells(read)) == (0, True)
