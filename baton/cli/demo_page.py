"""What the demonstration tells: how a gate can be passed, and what came of the release."""

from __future__ import annotations

import shlex
import shutil
import sys
import sysconfig
from typing import TYPE_CHECKING
from urllib.parse import quote

from baton.cli.layout import count_of
from baton.cli.names import parse_release
from baton.cli.units import size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baton.cli.place import Place
    from baton.model.status import Waiting
    from baton.model.version import ReleaseId
    from baton.sandbox.outcome import Outcome, OutcomeFile
    from baton.sandbox.world import World

_WHEEL = ".whl"


def dev_command(world: World, place: Place) -> str:
    """The command that brings the same world up again, with all that it has."""
    simulators = " --fake-ci" if world.fake_ci is not None else ""
    return typed(place.command("baton dev").removesuffix(" --sandbox") + simulators)


def typed(command: str) -> str:
    """A command of Baton's as it works when it is pasted here: by its path where a shell would not find it by name."""
    installed = shutil.which("baton", path=sysconfig.get_path("scripts"))
    if installed is None or shutil.which("baton") == installed:
        return command
    return f"{shlex.quote(installed)} {command.removeprefix('baton ')}"


def ui_page(world: World, release: ReleaseId) -> str:
    """A release's page in the world's Web UI, whatever the environment says of other servers."""
    return f"{world.ui_url}/namespaces/{world.namespace}/workflows/{quote(release.workflow_id, safe='')}"


def ways_to_sign_off(waiting: Waiting, release: ReleaseId, world: World, place: Place) -> Iterator[str]:
    """Who can give a sign-off and how, line by line.

    Args:
        waiting: what the release says it waits for.
        release: which.
        world: where it is.
        place: what commands for people need.
    """
    signal = (
        *("temporal", "workflow", "signal", f"--address={world.temporal_address}"),
        *(f"--workflow-id={release.workflow_id}", f"--name={waiting.kind.replace('-', '_')}"),
        f"--input={waiting.message}",
    )
    yield f"Waits for a sign-off: {waiting.what}"
    yield f"  {waiting.why}"
    yield f"  Any {' or '.join(waiting.roles)} can give it: {', '.join(waiting.people)}. Any of these ways will do:"
    yield "  - here and now, UNSIGNED, as a rehearsal may"
    yield f"  - in another terminal: {typed(place.command(waiting.command))}"
    yield f"  - in the Web UI, More Actions, Send a Signal, sign_off: {ui_page(world, release)}"
    yield f"  - with the temporal CLI, UNSIGNED too: {shlex.join(signal)}"


def summary(outcome: Outcome, world: World, place: Place, *, kept: bool) -> Iterator[str]:
    """What came of the release and what to try next, line by line; commands can be pasted as they stand.

    Args:
        outcome: where everything is.
        world: in which it was made.
        place: what commands for people need.
        kept: whether the world goes on.
    """
    yield from _what_was_done(outcome, ui_page(world, parse_release(outcome.release)), kept=kept)
    yield ""
    yield from _by_hand(outcome)
    yield ""
    yield from _next(outcome, world, place, kept=kept)


def _what_was_done(outcome: Outcome, page: str, *, kept: bool) -> Iterator[str]:
    whole = size(sum(file.size for file in outcome.files))
    yield f"{outcome.release} is {outcome.status}: {count_of(len(outcome.files), 'file')}, {whole}."
    yield "Each was fetched back over HTTP and verified by its Sigstore bundle and its OpenPGP signature."
    yield ""
    while_up = "" if kept else "   (while the world is up)"
    yield f"  published   {outcome.published}"
    yield f"              {outcome.published_url}{while_up}"
    yield f"  manifest    {outcome.manifest_digest}"
    yield f"  evidence    {outcome.evidence}"
    yield f"  Web UI      {page}{while_up}"


def _by_hand(outcome: Outcome) -> Iterator[str]:
    file = next((file for file in outcome.files if file.name.endswith(_WHEEL)), outcome.files[0])
    yield "Verify all of it again, or one file by hand with the sigstore CLI and with gpg:"
    yield f"  {_baton_command(outcome)}"
    for command in (*_sigstore_command(outcome, file), *_gpg_commands(outcome, file)):
        yield f"  {command}"


def _baton_command(outcome: Outcome) -> str:
    options = (
        *("--identities", str(outcome.trusted_identities)),
        *("--trust-config", str(outcome.trust_config), str(outcome.published)),
    )
    return typed(f"baton verify {shlex.join(options)}")


def _sigstore_command(outcome: Outcome, file: OutcomeFile) -> Iterator[str]:
    yield shlex.join(
        (
            *(sys.executable, "-m", "sigstore", "--trust-config", str(outcome.trust_config), "verify", "identity"),
            *("--cert-identity", outcome.identity, "--cert-oidc-issuer", outcome.issuer),
            *("--bundle", str(file.sigstore_bundle), str(outcome.published / file.name)),
        )
    )


def _gpg_commands(outcome: Outcome, file: OutcomeFile) -> Iterator[str]:
    """A keyring with nothing else in it, so that only the team's key can count."""
    keyring = str(outcome.gpg_public_key.with_suffix(".gpg"))
    yield shlex.join(("gpg", "--yes", "--dearmor", "--output", keyring, str(outcome.gpg_public_key)))
    yield shlex.join(("gpgv", "--keyring", keyring, str(file.signature), str(outcome.published / file.name)))


def _next(outcome: Outcome, world: World, place: Place, *, kept: bool) -> Iterator[str]:
    named = outcome.release.replace(" ", "/")
    yield "Try next:"
    if kept:
        yield f"  the world goes on as process {world.pids['world']}; end it with: kill {world.pids['world']}"
    else:
        yield f"  bring the world up again, with its Web UI:   {dev_command(world, place)}"
    yield f"  who did what, when:                          {typed(place.command(f'baton log {named}'))}"
    yield f"  change the example and release it again:     git clone {shlex.quote(str(world.hello_repository))}"
    yield "                                               cd hello, set __version__ in hello/__init__.py, commit, then"
    yield f"                                               {typed(place.command('baton start 1.0.1 --as ada'))}"
