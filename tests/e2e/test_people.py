"""People at work on real releases: the command line, the temporal CLI, and the Web UI in a real browser."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import psutil
import pytest
from playwright.async_api import async_playwright, expect

from baton.model.status import Phase, StepState
from tests.conftest import PATIENCE, executable
from tests.e2e.conftest import Baton, start, tiny_plan, tiny_project
from tests.e2e.traces import traces

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.async_api import Page

    from baton.model.status import ReleaseStatus
    from baton.sandbox.embedded import EmbeddedWorld

pytestmark = pytest.mark.e2e
# What a browser would ask the network for, and what it needs to run as root in a container.
CHROMIUM = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
]  # fmt: skip


@pytest.fixture(scope="module")
def project(folder: Path) -> tuple[Path, str]:
    return tiny_project(folder)


def is_waiting_for(what: str) -> Callable[[ReleaseStatus], bool]:
    return lambda status: any(waiting.what == what for waiting in status.waiting)


async def test_a_build_that_fails_waits_and_finishes_after_the_fix_and_a_retry(
    small_world: EmbeddedWorld, baton: Baton, folder: Path, project: tuple[Path, str]
) -> None:
    tool = folder / "compiler"
    await start(small_world, tiny_plan(small_world.facts, project, "1.1", needs=tool))
    status = await baton.until("tiny/1.1", is_waiting_for("text"))
    step = next(step for step in status.steps if step.name == "text")
    assert step.state is StepState.NEEDS_DECISION
    assert f"the tool {tool} is not installed" in step.detail
    assert step.log is not None
    assert "text" in baton("list")
    tool.touch()
    baton("decide", "tiny/1.1", "text", "retry", "--reason", "installed it", "--yes")
    await baton.until("tiny/1.1", is_waiting_for("publish"))
    assert "tiny/1.1 publish" in baton("status", "tiny/1.1")
    baton("sign-off", "tiny/1.1", "publish", "--yes")
    ended = await baton.until("tiny/1.1", lambda status: status.phase is Phase.RELEASED)
    assert next(step for step in ended.steps if step.name == "text").attempt == 2
    assert "decided: retry text as release-manager (unsigned). installed it" in baton("log", "tiny/1.1")
    # Without keys all of it can be read: what tests/e2e/test_embargo.py looks for is there to be found.
    for word, place in (("installed it", "database"), (str(tool), "database"), (str(tool), "log build.log")):
        assert any(trace.startswith(place) for trace in traces(small_world, word)), (word, place)


async def test_the_temporal_cli_signs_off_with_what_baton_prints(
    small_world: EmbeddedWorld, baton: Baton, project: tuple[Path, str]
) -> None:
    await start(small_world, tiny_plan(small_world.facts, project, "1.2"))
    await baton.until("tiny/1.2", is_waiting_for("publish"))
    message = baton("sign-off", "tiny/1.2", "publish", "--print")
    assert json.loads(message)["gate"] == "publish"
    subprocess.run(
        [
            executable("temporal"), "workflow", "signal", "--workflow-id", "release/tiny/1.2", "--name", "sign_off",
            "--input", message.strip(), "--address", small_world.facts.temporal_address,
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    await baton.until("tiny/1.2", lambda status: status.phase is Phase.RELEASED)


async def test_a_sign_off_is_given_in_the_web_ui(
    small_world: EmbeddedWorld, baton: Baton, project: tuple[Path, str], tmp_path: Path
) -> None:
    await start(small_world, tiny_plan(small_world.facts, project, "1.3"))
    status = await baton.until("tiny/1.3", is_waiting_for("publish"))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        page = await browser.new_page(viewport={"width": 1400, "height": 1250})
        page.set_default_timeout(30_000)
        where = f"{small_world.facts.ui_url}/namespaces/default/workflows/release%2Ftiny%2F1.3/{status.run}"
        await page.goto(f"{where}/user-metadata")
        details = page.frame_locator("iframe").get_by_text("Waits for a sign-off: publish")
        await expect(details.first).to_be_visible(timeout=60_000)
        await page.screenshot(path=os.environ.get("BATON_SCREENSHOT", str(tmp_path / "release.png")))
        await send_signal(page, "sign_off", status.waiting[0].message)
        await browser.close()
    ended = await baton.until("tiny/1.3", lambda status: status.phase is Phase.RELEASED)
    assert ended.gates[0].given[0].by == "ada"


async def send_signal(page: Page, name: str, message: str) -> None:
    await page.get_by_role("button", name="More Actions").click()
    await page.get_by_text("Send a Signal").locator("visible=true").click()
    dialog = page.get_by_role("dialog").locator("visible=true")
    await dialog.get_by_test_id("signal-select-button").click()
    await page.get_by_role("option").filter(has=page.get_by_text(re.compile(f"^{name}$"))).click()
    await dialog.locator(".cm-content").click()
    await page.keyboard.insert_text(message)
    # The editor lays its text out anew when it loses the focus, and moves the button.
    await page.evaluate("document.activeElement.blur()")
    await dialog.get_by_role("button", name="Submit").click()
    await expect(dialog).to_have_count(0)


async def test_a_server_killed_while_building_comes_back_and_the_release_goes_on(
    small_world: EmbeddedWorld, baton: Baton, folder: Path, project: tuple[Path, str]
) -> None:
    tool = folder / "linker"
    await start(small_world, tiny_plan(small_world.facts, project, "1.4", needs=tool))
    await baton.until("tiny/1.4", lambda status: status.phase is Phase.BUILD)
    await asyncio.to_thread(small_world.kill, "temporal")
    assert "no Temporal server answers" in await asyncio.to_thread(baton, "status", "tiny/1.4", code=1)
    tool.touch()
    await asyncio.to_thread(small_world.restart, "temporal")
    status = await baton.until("tiny/1.4", lambda status: bool(status.waiting))
    if status.waiting[0].what == "text":
        baton("decide", "tiny/1.4", "text", "retry", "--yes")
    await baton.until("tiny/1.4", is_waiting_for("publish"))
    baton("sign-off", "tiny/1.4", "publish", "--yes")
    await baton.until("tiny/1.4", lambda status: status.phase is Phase.RELEASED)


async def test_a_cancelled_build_is_stopped_with_everything_that_it_started(
    small_world: EmbeddedWorld, baton: Baton, folder: Path, project: tuple[Path, str]
) -> None:
    alive = folder / "alive"
    forever = f"import os, time; open({str(alive)!r}, 'w').write(str(os.getpid())); time.sleep(3600)"
    step = {
        "name": "text",
        "builder": {"kind": "command", "commands": [["python", "-c", forever]]},
        "queue": "build",
        "files": ["tiny.txt"],
    }
    await start(small_world, tiny_plan(small_world.facts, project, "1.6", steps=[step]))
    async with asyncio.timeout(PATIENCE):
        while not (alive.exists() and alive.read_text()):
            await asyncio.sleep(0.1)
    baton("cancel", "tiny/1.6", "--reason", "wrong commit", "--yes")
    await baton.until("tiny/1.6", lambda status: status.phase is Phase.CANCELLED)
    assert not psutil.pid_exists(int(alive.read_text()))
    assert "dropped the prepared source" in baton("log", "tiny/1.6")


async def test_a_cancelled_release_leaves_nothing_and_may_be_started_again(
    small_world: EmbeddedWorld, baton: Baton, folder: Path, project: tuple[Path, str]
) -> None:
    plan = tiny_plan(small_world.facts, project, "1.5")
    await start(small_world, plan)
    await baton.until("tiny/1.5", is_waiting_for("publish"))
    staged = small_world.facts.public_root / "staging" / "tiny" / "1.5"
    assert staged.is_dir()
    baton("cancel", "tiny/1.5", "--reason", "wrong commit", "--yes")
    await baton.until("tiny/1.5", lambda status: status.phase is Phase.CANCELLED)
    assert not staged.exists()
    assert not (small_world.facts.public_root / "public" / "tiny" / "1.5").exists()
    listed = subprocess.run(["git", "-C", str(folder / "tiny"), "tag"], capture_output=True, text=True, check=True)
    assert "v1.5" not in listed.stdout.split()
    await start(small_world, plan)
    await baton.until("tiny/1.5", is_waiting_for("publish"))
    baton("sign-off", "tiny/1.5", "publish", "--yes")
    await baton.until("tiny/1.5", lambda status: status.phase is Phase.RELEASED)
