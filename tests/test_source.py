from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from baton.builders.port import FailedWithLog, Stopped
from baton.builders.workspace import Workspace
from baton.git import git
from baton.model.base import digest_of
from baton.model.errors import BatonError, Conflict, Failed, Invalid, Missing, Refused, Unavailable
from baton.model.plan import SourcePlan
from baton.source import offer, prepare, push_tag, withdraw
from baton.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from baton.model.work import Source

BUMP = (
    ("python", "-c", "import pathlib; pathlib.Path('version').write_text('1.0.0')"),
    ("git", "commit", "--quiet", "--all", "--message", "Version 1.0.0"),
)


def someone(date: int = 1_700_000_000) -> dict[str, str]:
    return {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "Ada"), ("EMAIL", "ada@example.invalid"), ("DATE", f"{date} +0000"))
    }


class World:
    """A repository that people push to, and a worker that releases from it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repository = folder / "repository"
        self.workspace = Workspace(folder / "work", open_store(str(folder / "store")))
        self.repository.mkdir()
        git("init", "--quiet", "--initial-branch=main", folder=self.repository)
        self.commit = self.add("version", "1.0.0.dev0")

    def add(self, name: str, content: str) -> str:
        (self.repository / name).write_text(content)
        git("add", name, folder=self.repository)
        git("commit", "--quiet", "--message", name, folder=self.repository, environment=someone())
        return git("rev-parse", "HEAD", folder=self.repository)

    def tag(self, name: str, commit: str, *options: str) -> None:
        git("tag", *options, name, commit, folder=self.repository, environment=someone())

    def prepare(self, **plan: Any) -> Source:
        everything = {"repository": str(self.repository), "commit": self.commit, "tag": "v1.0.0"} | plan
        return prepare(SourcePlan(**everything), self.workspace, progress=lambda _: None, cancelled=lambda: False)

    def push(self, source: Source) -> None:
        push_tag(source, self.workspace, progress=lambda _: None, cancelled=lambda: False)

    def offer(self, source: Source) -> None:
        offer(source, "baton/hello-1.0.0", self.workspace, progress=lambda _: None, cancelled=lambda: False)

    def withdraw(self, source: Source) -> bool:
        return withdraw(source, "baton/hello-1.0.0", self.workspace, progress=lambda _: None, cancelled=lambda: False)

    def open(self, source: Source) -> Path:
        """What a builder gets: a repository made from the bundle."""
        bundle = self.folder / f"{source.bundle[7:20]}.bundle"
        self.workspace.store.fetch(source.bundle, bundle)
        clone = self.folder / f"{source.bundle[7:20]}"
        if not clone.exists():
            git("clone", "--quiet", "--branch", source.tag, str(bundle), str(clone), folder=self.folder)
        return clone


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_the_bundle_holds_the_commit_with_its_history_and_tag(world: World) -> None:
    world.commit = world.add("README", "hello\n")
    later = world.add("README", "later\n")

    source = world.prepare()

    clone = world.open(source)
    assert source.commit == world.commit != later
    assert source.epoch == 1_700_000_000
    assert git("log", "--format=%s", folder=clone).splitlines() == ["README", "version"]
    assert git("describe", "--exact-match", folder=clone) == "v1.0.0"
    assert (clone / "README").read_text() == "hello\n"


def test_preparing_again_elsewhere_makes_the_same_commit_and_tag(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = world.prepare(prepare=BUMP)
    (tmp_path / "config").write_text("[user]\nname = Else\nemail = e@example.invalid\n[tag]\ngpgSign = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2001-01-01T00:00:00Z")
    world.workspace = Workspace(tmp_path / "other" / "work", open_store(str(tmp_path / "other" / "store")))

    second = world.prepare(prepare=BUMP)

    assert second == first
    tag = git("cat-file", "tag", "v1.0.0", folder=world.open(second))
    assert "tagger Baton <baton@release.invalid> 1700000000 +0000" in tag


def test_preparation_commits_on_top_of_the_plans_commit(world: World) -> None:
    source = world.prepare(prepare=BUMP)

    clone = world.open(source)
    assert source.commit != world.commit
    assert git("rev-parse", "HEAD^", folder=clone) == world.commit
    assert (clone / "version").read_text() == "1.0.0"


def test_preparation_that_fails_says_why_and_keeps_its_log(world: World) -> None:
    with pytest.raises(FailedWithLog, match="no such version") as failure:
        world.prepare(prepare=(("python", "-c", "raise SystemExit('no such version')"),))

    assert b"no such version" in world.workspace.store.read(failure.value.log)


def test_preparation_sees_no_secret_of_the_worker(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATON_GPG_PASSPHRASE", "hunter2")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/hunter2")

    with pytest.raises(FailedWithLog) as failure:
        world.prepare(prepare=(("python", "-c", "import os; print(os.environ); raise SystemExit(1)"),))

    assert b"hunter2" not in world.workspace.store.read(failure.value.log)


def test_changes_that_were_not_committed_are_not_released_silently(world: World) -> None:
    with pytest.raises(Failed, match=r"changed files without committing them.*M version"):
        world.prepare(prepare=BUMP[:1])


def test_preparation_can_not_leave_the_plans_commit(world: World) -> None:
    world.commit = world.add("README", "hello\n")

    with pytest.raises(Refused, match=f"not made on top of {world.commit}"):
        world.prepare(prepare=(("git", "checkout", "--quiet", "HEAD^"),))


def test_a_commit_that_nothing_reaches_is_missing(world: World) -> None:
    # As in a fork or a pull request: the server has it, no branch or tag does.
    stray = world.add("README", "stray\n")
    git("reset", "--quiet", "--hard", "HEAD^", folder=world.repository)

    with pytest.raises(Missing, match=f"no branch or tag of .* has the commit {stray}"):
        world.prepare(commit=stray)


@pytest.mark.parametrize("options", [(), ("--annotate", "--message", "by hand")])
def test_a_tag_that_is_there_on_the_same_commit_is_taken(world: World, options: tuple[str, ...]) -> None:
    world.tag("v1.0.0", world.commit, *options)
    there = git("rev-parse", "v1.0.0", folder=world.repository)

    source = world.prepare()

    assert git("rev-parse", "v1.0.0", folder=world.open(source)) == there


def test_a_tag_that_is_there_on_another_commit_is_a_conflict(world: World) -> None:
    world.tag("v1.0.0", world.commit)
    newer = world.add("README", "newer\n")

    with pytest.raises(Conflict, match=f"on commit {world.commit} already; expected {newer}"):
        world.prepare(commit=newer)


@pytest.mark.parametrize("tag", ["a..b", "v1.lock", "v1/", "a//b"])
def test_a_tag_that_git_does_not_accept_is_named(world: World, tag: str) -> None:
    with pytest.raises(Invalid, match="is no name for a tag"):
        world.prepare(tag=tag)


@pytest.mark.parametrize(
    "address",
    [
        "--upload-pack=touch /tmp/owned",
        "ext::sh -c 'touch owned'",
        "-oProxyCommand=touch",
        "ssh://-oProxyCommand=touch/x",
        "relative/path",
        "ftp://example.org/x",
    ],
)
def test_an_address_that_could_run_a_program_is_refused(world: World, address: str) -> None:
    with pytest.raises(Refused, match="has no form that is accepted"):
        world.prepare(repository=address)


@pytest.mark.parametrize("address", ["https://token@example.org/x", "https://ada:hunter2@example.org/x"])
def test_credentials_in_an_address_are_refused_and_not_repeated(world: World, address: str) -> None:
    with pytest.raises(Refused, match=r"example\.org holds credentials") as refusal:
        world.prepare(repository=address)

    assert "hunter2" not in str(refusal.value)
    assert "token" not in str(refusal.value)


def test_an_address_can_not_be_redirected_to_a_program(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owned = tmp_path / "owned"
    (tmp_path / "config").write_text(
        f'[url "ext::touch {owned} #"]\ninsteadOf = https://example.invalid/\n[protocol "ext"]\nallow = always\n'
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))

    with pytest.raises(Failed, match="transport 'ext' not allowed"):
        world.prepare(repository="https://example.invalid/x")

    assert not owned.exists()


def test_stopping_it_leaves_nothing(world: World) -> None:
    plan = SourcePlan(repository=str(world.repository), commit=world.commit, tag="v1.0.0")

    with pytest.raises(Stopped):
        prepare(plan, world.workspace, progress=lambda _: None, cancelled=lambda: True)

    assert list(world.workspace.root.iterdir()) == []


def test_a_tag_is_pushed_with_the_prepared_commit(world: World) -> None:
    source = world.prepare(prepare=BUMP)

    world.push(source)

    assert git("rev-parse", "v1.0.0^{commit}", folder=world.repository) == source.commit
    assert git("rev-parse", "main", folder=world.repository) == world.commit


def test_pushing_again_is_harmless(world: World) -> None:
    source = world.prepare()

    world.push(source)
    there = git("rev-parse", "v1.0.0", folder=world.repository)
    # Nothing has to be sent, so that nothing has to be there.
    world.push(source.model_copy(update={"bundle": digest_of(b"lost")}))

    assert git("rev-parse", "v1.0.0", folder=world.repository) == there


def test_a_tag_that_someone_else_pushed_is_never_overwritten(world: World) -> None:
    source = world.prepare()
    other = world.add("README", "other\n")
    world.tag("v1.0.0", other, "--annotate", "--message", "faster")

    with pytest.raises(Conflict, match=f"on commit {other} already; expected {source.commit}"):
        world.push(source)

    assert git("rev-parse", "v1.0.0^{commit}", folder=world.repository) == other


def test_the_prepared_commit_is_offered_on_a_branch_and_withdrawn(world: World) -> None:
    source = world.prepare(prepare=BUMP)
    for _ in range(2):
        world.offer(source)
        assert git("rev-parse", "refs/heads/baton/hello-1.0.0", folder=world.repository) == source.commit
    assert [world.withdraw(source) for _ in range(2)] == [True, False]
    assert git("for-each-ref", "refs/heads/baton", folder=world.repository) == ""


def test_a_branch_that_is_somebody_elses_is_left_alone(world: World) -> None:
    source = world.prepare(prepare=BUMP)
    git("branch", "baton/hello-1.0.0", world.commit, folder=world.repository)
    with pytest.raises(Conflict, match=f"on commit {world.commit}; expected {source.commit} or no such branch"):
        world.offer(source)
    assert not world.withdraw(source)
    assert git("rev-parse", "refs/heads/baton/hello-1.0.0", folder=world.repository) == world.commit


def test_a_push_whose_answer_is_lost_counts_if_the_tag_is_there(world: World) -> None:
    source = world.prepare()
    hook = world.repository / ".git" / "hooks" / "pre-receive"
    hook.write_text(f"#!/bin/sh\nunset GIT_QUARANTINE_PATH\ngit update-ref refs/tags/v1.0.0 {source.commit}\nexit 1\n")
    hook.chmod(0o755)

    world.push(source)

    assert git("rev-parse", "v1.0.0", folder=world.repository) == source.commit


def test_a_push_that_the_repository_refuses_says_why(world: World) -> None:
    source = world.prepare()
    hook = world.repository / ".git" / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'tags are frozen' >&2\nexit 1\n")
    hook.chmod(0o755)

    with pytest.raises(Failed, match="tags are frozen"):
        world.push(source)


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    """Answers every request with the status that its path begins with."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(int(self.path.split("/")[1]))
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "error"),
    [(500, Unavailable), (503, Unavailable), (429, Unavailable), (403, Failed), (401, Failed), (404, Missing)],
)
def test_trouble_that_may_pass_is_told_from_what_a_person_must_mend(
    world: World, server: ThreadingHTTPServer, status: int, error: type[BatonError]
) -> None:
    with pytest.raises(error):
        world.prepare(repository=f"http://127.0.0.1:{server.server_port}/{status}/hello.git")


def test_a_server_that_does_not_answer_may_be_back_later(world: World, server: ThreadingHTTPServer) -> None:
    server.shutdown()
    server.server_close()

    with pytest.raises(Unavailable):
        world.prepare(repository=f"http://127.0.0.1:{server.server_port}/hello.git")


def test_a_path_without_a_repository_is_missing(world: World, tmp_path: Path) -> None:
    with pytest.raises(Missing, match="does not exist"):
        world.prepare(repository=str(tmp_path / "nowhere"))


def test_a_secret_that_the_workers_git_says_is_not_told(
    world: World, server: ThreadingHTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text(
        '[credential]\nhelper = "!echo using https://ada:hunter2@example.invalid >&2; false"\n'
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))

    with pytest.raises(Failed, match=r"using https://…@example\.invalid") as failure:
        world.prepare(repository=f"http://127.0.0.1:{server.server_port}/401/hello.git")

    assert "hunter2" not in str(failure.value)


def test_preparation_can_not_change_how_the_tag_is_made(world: World) -> None:
    plain = world.prepare()

    assert world.prepare(prepare=(("git", "config", "tag.gpgSign", "true"),)) == plain
