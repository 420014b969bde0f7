"""What people see, as plain text of 100 columns: made from values alone, and compared with `pages/`.

With BATON_UPDATE_PAGES=1 the pages are written anew; then read what changed before you commit it.
"""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from baton.cli.agreement import Asked
from baton.cli.agreement_page import agreement_page
from baton.cli.checking import findings_page
from baton.cli.journal import journal_page
from baton.cli.list_page import all_page, turns_page, waiting_page
from baton.cli.listing import Item
from baton.cli.overview import Listed
from baton.cli.plan_page import plan_page
from baton.cli.said_page import acts_table
from baton.cli.status_page import status_page
from baton.model.acts import Choice, Heard, Proof, Rejection, SignOff
from baton.model.gate import GateResult, Given, Refusal
from baton.model.manifest import Artifact, ManifestRef
from baton.model.roster import Person
from baton.model.status import Entry, Phase, Published, ReleaseStatus, StepState, StepStatus, Waiting, WaitKind
from baton.model.version import ReleaseId, ReleaseKind
from baton.project.finding import error, ok, warning
from tests.conftest import AUTHENTICODE, NOTARIZE, REAL
from workflows.page import page as web_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType

    from baton.model.plan import Plan

PAGES = Path(__file__).parent / "pages"
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
RUN = "01a204a8-a203-73bb-bba3-93d5030ea991"
HELLO = ReleaseId(project="hello", version="1.0.0")


def digest(letter: str) -> str:
    return "sha256:" + letter * 64


def step(name: str, phase: Phase, state: StepState, detail: str = "", **facts: object) -> StepStatus:
    usual = {"attempt": 1, "queue": "release", "role": "release-manager"}
    return StepStatus.model_validate({"name": name, "phase": phase, "state": state, "detail": detail, **usual, **facts})


def steps(*, windows: StepState = StepState.DONE, later: StepState = StepState.PENDING) -> tuple[StepStatus, ...]:
    failed = windows is StepState.NEEDS_DECISION
    return (
        step("prepare", Phase.PREPARE, StepState.DONE, "v1.0.0 on cccccccccccc"),
        step("source", Phase.BUILD, StepState.DONE, "2 files, 10.4 KiB", queue="build-source"),
        step(
            "windows",
            Phase.BUILD,
            windows,
            "Failed: cc exited with 1\nhello.c:3: error: expected ';'" if failed else "1 file, 92.0 KiB",
            queue="build-windows",
            role="windows-expert",
            attempt=2,
            choices=(Choice.RETRY, Choice.SKIP, Choice.PROVIDE, Choice.ABORT) if failed else (),
            log=digest("e") if failed else None,
        ),
        step("macos", Phase.BUILD, later, queue="build-macos"),
        step("sign-gpg", Phase.SIGN, later, queue="sign"),
        step("stage-downloads", Phase.STAGE, later, queue="publish"),
    )


PROOF = Proof(envelope=digest("7"), credential="ssh key SHA256:RbFfNjnpmEYkhFGBYqPDZTMTcVLnSLwX5hXQF1bXbo4")
GATE = GateResult(
    gate="publish",
    attempt=1,
    run=RUN,
    subject=digest("a"),
    needs={"release-manager": 2},
    opened=NOW - timedelta(hours=3, minutes=5),
    given=(
        Given(by="ada", role="release-manager", at=NOW - timedelta(hours=1), reason="installed it twice", proof=PROOF),
    ),
)
START = GateResult(
    gate="start",
    attempt=1,
    run=RUN,
    subject=digest("b"),
    needs={"release-manager": 1},
    opened=NOW - timedelta(hours=5),
    given=(Given(by="grace", role="release-manager", at=NOW - timedelta(hours=4)),),
    passed_at=NOW - timedelta(hours=4),
)
FILES = tuple(
    Artifact(name=name, digest=digest(letter), size=size)
    for name, letter, size in (
        ("hello-1.0.0-py3-none-any.whl", "1", 4321),
        ("hello-1.0.0-windows-amd64.exe", "2", 94_208),
        ("hello-1.0.0.tar.gz", "3", 6339),
    )
)
MANIFEST = ManifestRef(digest=digest("a"), files=6, total_bytes=1_234_567, preview=FILES)
CHECKS = (
    step("describe", Phase.COLLECT, StepState.DONE, "3 SPDX documents"),
    step("check-install", Phase.COLLECT, StepState.DONE, "passed"),
)
SIGN_OFF_WANTED = Waiting(
    kind=WaitKind.SIGN_OFF,
    what="publish",
    since=GATE.opened,
    roles=("release-manager",),
    people=("grace",),
    why="gate publish has 1 of 2 sign-offs; missing: 1 release-manager; asked about aaaaaaaaaaaa",
    command="baton sign-off hello/1.0.0 publish",
    message="{}",
)
DISPUTED = GATE.model_copy(
    update={
        "attempt": 2,
        "excluded": ("ada",),
        "given": (Given(by="grace", role="release-manager", at=NOW - timedelta(minutes=50)),),
        "rejected": (
            Given(
                by="hedy",
                role="release-manager",
                at=NOW - timedelta(minutes=20),
                reason="it does not start",
                proof=PROOF,
            ),
        ),
        "refused": (
            Refusal(by="ada", kind="sign-off", at=NOW, why="ada started or planned this release"),
            Refusal(by="eve", kind="sign-off", at=NOW, why="eve is not on the roster\x1b[2J"),
        ),
        "reset": ("ada", "hedy"),
    }
)
HAND_IN_WANTED = Waiting(
    kind=WaitKind.HAND_IN,
    what="macos",
    since=NOW - timedelta(hours=2),
    roles=("macos-expert",),
    people=("katherine",),
    why="files to be handed in: hello-1.0.0.pkg. Build it with Xcode 16, notarized",
    command="baton provide hello/1.0.0 macos FILE…",
    message="{}",
)
ACTS = tuple(
    Heard.model_validate(
        {
            "number": number,
            "at": NOW - timedelta(minutes=60 - number),
            "role": "release-manager",
            "previous": digest("b"),
            **facts,
        }
    )
    for number, facts in enumerate(
        (
            {
                "kind": "sign-off",
                "by": "ada",
                "about": "gate publish",
                "accepted": True,
                "message": "gate publish has 1 of 2 sign-offs",
                "proof": PROOF,
                "envelope": digest("7"),
            },
            {
                "kind": "withdraw",
                "by": "grace",
                "about": "gate publish",
                "accepted": True,
                "message": "gate publish has 0 of 2 sign-offs",
                "unsigned": "{}",
            },
            {
                "kind": "decide",
                "by": "eve",
                "about": "step windows",
                "accepted": False,
                "message": "eve is not on the roster; on it: ada, grace",
                "envelope": digest("8"),
            },
        ),
        start=1,
    )
)
DECISION_WANTED = Waiting(
    kind=WaitKind.DECISION,
    what="windows",
    since=NOW - timedelta(minutes=12, seconds=30),
    roles=("windows-expert", "release-manager"),
    people=("ada", "grace"),
    why="Failed: cc exited with 1\n\x1b[31mhello.c:3:\x1b[0m error: expected ';'\x07",
    command="baton decide hello/1.0.0 windows retry|skip|provide|abort",
    message="{}",
)


def status(**facts: object) -> ReleaseStatus:
    usual: dict[str, object] = {
        "release": HELLO,
        "release_kind": ReleaseKind.FINAL,
        "stream": "1",
        "sandbox": False,
        "run": RUN,
        "plan": digest("b"),
        "phase": Phase.STAGE,
        "steps": steps(),
        "gates": (START, GATE),
        "waiting": (SIGN_OFF_WANTED,),
        "manifest": MANIFEST,
        "published": (),
        "evidence": None,
    }
    return ReleaseStatus.model_validate({**usual, **facts})


def rendered(page: RenderableType) -> str:
    """A page as plain text, without the blanks at line ends."""
    out = io.StringIO()
    Console(file=out, width=100, color_system=None, highlight=False, emoji=False).print(page)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def expect(name: str, page: RenderableType) -> None:
    text, file = rendered(page), PAGES / f"{name}.txt"
    if os.environ.get("BATON_UPDATE_PAGES"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


def test_a_release_that_waits_for_a_sign_off() -> None:
    expect("status-sign-off", status_page(status(), now=NOW))


def test_a_rehearsal_that_waits_for_a_decision_and_for_a_worker() -> None:
    waiting = status(
        sandbox=True,
        phase=Phase.BUILD,
        steps=steps(windows=StepState.NEEDS_DECISION),
        gates=(START,),
        waiting=(DECISION_WANTED,),
        manifest=None,
    )
    silent = ["no worker is polling build-macos (last seen 3 min 2 s ago)"]

    expect("status-decision", status_page(waiting, now=NOW, silent=silent, command=lambda text: f"{text} --sandbox"))


def test_a_release_that_people_disagree_about() -> None:
    disputed = status(sandbox=True, unsigned_acts=True, gates=(START, DISPUTED), driver="grace", heard=9, refused=2)

    expect("status-disputed", status_page(disputed, now=NOW, acts=ACTS))


def test_a_release_that_waits_for_files_and_links_to_where_it_is_built() -> None:
    linked = (
        step("windows", Phase.BUILD, StepState.RUNNING, queue="release", link="https://ci.example.org/run/7"),
        step(
            "macos",
            Phase.BUILD,
            StepState.NEEDS_DECISION,
            queue="release",
            role="macos-expert",
            choices=(Choice.PROVIDE, Choice.SKIP, Choice.ABORT),
            link="https://ci.example.org/run/8",
        ),
    )
    waits = status(phase=Phase.BUILD, steps=linked, gates=(), waiting=(HAND_IN_WANTED,), manifest=None)

    expect("status-hand-in", status_page(waits, now=NOW, command=lambda text: f"{text} --sandbox"))


@pytest.mark.parametrize("unsigned", [True, False], ids=["unsigned", "signed"])
def test_what_the_web_ui_shows_of_it(make_plan: Callable[..., Plan], *, unsigned: bool) -> None:
    disputed = status(
        sandbox=unsigned,
        unsigned_acts=unsigned,
        gates=(START, DISPUTED),
        waiting=(SIGN_OFF_WANTED, HAND_IN_WANTED),
        driver="grace",
        heard=9,
        refused=2,
    )
    text = web_page(make_plan(**({} if unsigned else REAL)), disputed)

    name = PAGES / f"web-{'unsigned' if unsigned else 'signed'}.md"
    if os.environ.get("BATON_UPDATE_PAGES"):
        name.write_text(f"{text}\n", encoding="utf-8")
    assert f"{text}\n" == name.read_text(encoding="utf-8")


def test_a_release_that_is_public() -> None:
    passed = GATE.model_copy(update={"given": (*GATE.given, *START.given), "passed_at": NOW})
    released = status(
        phase=Phase.RELEASED,
        steps=steps(windows=StepState.SKIPPED, later=StepState.DONE),
        gates=(START, passed),
        waiting=(),
        published=(Published(target="downloads", url="https://example.org/hello/1.0.0/", checked=18),),
        evidence=digest("f"),
    )

    expect("status-released", status_page(released, now=NOW))


def test_a_release_that_was_cancelled() -> None:
    expect("status-cancelled", status_page(status(phase=Phase.CANCELLED, waiting=()), now=NOW))


def test_what_a_sign_off_agrees_to(make_plan: Callable[..., Plan]) -> None:
    plan = make_plan(**REAL)
    message = SignOff(
        release=plan.release,
        gate="publish",
        attempt=1,
        run=RUN,
        subject=digest("a"),
        by="grace",
        role="release-manager",
    )

    expect("sign-off", agreement_page(Asked(plan, plan.gates[0], GATE, True, MANIFEST, CHECKS), message))


def test_what_a_rejection_objects_to(make_plan: Callable[..., Plan]) -> None:
    plan = make_plan(**REAL)
    objection = Rejection(
        release=plan.release,
        gate="publish",
        attempt=2,
        run=RUN,
        subject=digest("a"),
        by="grace",
        role="release-manager",
        reason="it does not start",
    )

    expect("reject", agreement_page(Asked(plan, plan.gates[0], DISPUTED, True, MANIFEST), objection))


def test_a_plan(make_plan: Callable[..., Plan]) -> None:
    plan = make_plan(
        gates=[
            {"name": "start", "before": "build", "needs": {"release-manager": 1}, "starter_counts": False},
            {"name": "publish", "before": "publish", "needs": {"release-manager": 2, "windows-expert": 1}},
        ],
        platform=[
            {
                "name": "windows-signed",
                "of": "windows",
                "files": ["hello.exe"],
                "queue": "sign-windows",
                "role": "windows-expert",
                "signing": AUTHENTICODE,
            },
            {
                "name": "macos-signed",
                "of": "source",
                "files": ["hello.tar.gz"],
                "queue": "sign-macos",
                "signing": {
                    "kind": "apple-codesign",
                    "identity": "Developer ID Application: Hello (ABCDE12345)",
                    "team": "ABCDE12345",
                },
            },
            {
                "name": "macos-notarized",
                "of": "macos-signed",
                "files": ["hello.tar.gz"],
                "queue": "sign-macos",
                "signing": NOTARIZE,
            },
        ],
        checks=[{"name": "install", "commands": [["make", "check"]], "queue": "linux"}],
    )

    expect("plan", plan_page(plan))


@pytest.fixture
def items() -> list[Item]:
    started = NOW - timedelta(days=1)
    usual = {"kind": "final", "started": started, "closed": None}
    waits = {"waiting_for": ("sign-off:publish",), "waiting_on": ("release-manager",), "running": True}
    first, second, third = (ReleaseId(project="hello", version=version) for version in ("1.0.0", "1.1.0rc1", "0.9.0"))
    return [
        Item.model_validate({"workflow_id": release.workflow_id, "release": release, **usual, **facts})
        for release, facts in (
            (first, {"phase": "stage", **waits, "waiting": (SIGN_OFF_WANTED, DECISION_WANTED)}),
            (second, {"phase": "stage", **waits}),
            (third, {"phase": "released", "running": False}),
        )
    ]


def test_what_waits_and_for_whom(items: list[Item]) -> None:
    expect("list", waiting_page(items[:2], now=NOW, command=lambda text: f"{text} --sandbox"))
    assert rendered(waiting_page([], now=NOW)) == "Nothing waits for anyone.\n"


def test_whose_turn_it_is(items: list[Item]) -> None:
    me = Person(id="grace", name="Grace", roles=("release-manager",))
    objected = SIGN_OFF_WANTED.model_copy(update={"people": ("ada",)})
    third = items[0].model_copy(update={"waiting": (objected, HAND_IN_WANTED), "driver": "ada"})
    newer = items[1].model_copy(update={"silence": "hello 1.1.0rc1 was answered by another version of Baton"})
    listed = [Listed(items[0], me), Listed(newer, None), Listed(third, me)]

    expect("list-turns", turns_page(listed, now=NOW, command=lambda text: f"{text} --sandbox"))
    assert rendered(turns_page([], now=NOW)) == "Nothing waits for anyone.\n"


def test_everything_that_people_said() -> None:
    expect("acts", acts_table(ACTS))


def test_every_release(items: list[Item]) -> None:
    expect("list-all", all_page(items))


def test_a_log_over_two_days() -> None:
    lines = (
        (NOW - timedelta(hours=3), "ada", "started hello 1.0.0 from commit " + "c" * 40),
        (NOW - timedelta(hours=1), "baton", "phase build"),
        (NOW, "grace", "decided: retry windows. The runner was full"),
    )

    expect("log", journal_page([Entry(at=at, who=who, what=what) for at, who, what in lines]))


def test_what_check_found() -> None:
    findings = (
        error("release.toml:14", 'steps[1].quue: unknown key; did you mean "queue"?'),
        warning(
            "queue build-macos", "no worker is polling build-macos", "start one: python worker.py --queue build-macos"
        ),
        ok("git", "/usr/bin/git, version 2.47.0"),
    )

    expect("check", findings_page(findings))
