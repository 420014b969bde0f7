"""Whether a machine has the tools and, by their names, the credentials that a project's releases need."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from baton.project.announcer_tables import EmailAnnouncerTable, WebhookAnnouncerTable
from baton.project.builder_tables import (
    AzureBuilderTable,
    EntraCredentialTable,
    GitHubAppTable,
    GitHubBuilderTable,
    PatCredentialTable,
)
from baton.project.finding import error, ok, warning
from baton.project.platform_tables import (
    AppleCodeSigningTable,
    ArtifactSigningTable,
    AuthenticodeTable,
    NotarizationTable,
    OsslSignCodeTable,
    Pkcs11KeyTable,
    Pkcs12KeyTable,
)
from baton.project.signing_policy import policies_from

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from baton.project.announcer_tables import AnnouncerTable
    from baton.project.builder_tables import BuilderTable
    from baton.project.finding import Finding
    from baton.project.platform_tables import PlatformStepTable
    from baton.project.read import Project
    from baton.project.signing_tables import SigningTable

OLDEST = {"git": (2, 32), "gpg": (2, 2)}
"""The oldest version of each tool that does what Baton asks of it."""


def tool_findings(project: Project, environment: Mapping[str, str], today: date) -> Iterator[Finding]:
    """What is to be said of git, and of gpg where it is used."""
    yield _tool("git", environment)
    if any(policy.gpg != "none" for policy in policies_from(project.settings, today)):
        yield _tool("gpg", environment)


def credential_findings(project: Project, environment: Mapping[str, str], today: date) -> Iterator[Finding]:
    """Which of the credentials that the project's workers need this machine has; their values are never looked at.

    A credential belongs on the one machine that needs it, so that its absence here is a warning at most.
    """
    if project.settings.project.sandbox:
        yield ok("credentials", "none are needed; the sandbox has its own")
        return
    yield _own_rules(environment)
    for announcer in project.settings.announcers:
        for variable, what in _secrets_of(announcer):
            meaning = f"the {what} of announcer {announcer.name}"
            yield _credential((variable,), meaning, project.settings.project.queue, environment)
    for step in project.settings.steps:
        yield from _of_builder(step.builder, f"step {step.name}", step.queue, environment)
    for signing in project.settings.platform_signing:
        for names, what, queue in _of_platform_signing(signing):
            yield _credential(names, f"the {what} of {signing.name}", queue, environment)
    yield from _of_policies(project, environment, today)


def _own_rules(environment: Mapping[str, str]) -> Finding:
    if environment.get("BATON_PROJECTS"):
        return ok("BATON_PROJECTS", "set here: the release.toml files by which a worker judges real releases")
    return warning(
        "BATON_PROJECTS",
        "not set here: the release.toml files by which a worker judges real releases",
        "set it for every worker but those that build: they refuse real releases without it",
    )


def _of_policies(project: Project, environment: Mapping[str, str], today: date) -> Iterator[Finding]:
    """Those by which each file gets signatures beside it; what several policies need is told once."""
    told = [finding for policy in policies_from(project.settings, today) for finding in _of_policy(policy, environment)]
    yield from dict.fromkeys(told)


def _of_policy(policy: SigningTable, environment: Mapping[str, str]) -> Iterator[Finding]:
    if policy.sigstore == "machine" and policy.sigstore_queue is not None:
        sources = ("BATON_IDENTITY_TOKEN_FILE", "BATON_IDENTITY_TOKEN_COMMAND", "BATON_IDENTITY_TOKEN_URL")
        meaning = "where the machine's identity token is, if its platform has none"
        yield _credential(sources, meaning, policy.sigstore_queue, environment)
    if policy.sigstore == "dispatched" and policy.dispatched is not None:
        workflow = f"the signing workflow {policy.dispatched.run.workflow}"
        yield from _of_builder(policy.dispatched.run, workflow, policy.dispatched.queue, environment)
    if policy.gpg_queue is not None:
        yield _credential(("BATON_GPG_HOME",), "where the team's key is", policy.gpg_queue, environment)


def _secrets_of(announcer: AnnouncerTable) -> Iterator[tuple[str, str]]:
    """Each variable that the announcer reads, and what it holds."""
    named: dict[str, str | None] = {}
    match announcer:
        case WebhookAnnouncerTable():
            named = {"address": announcer.url_from, "token": announcer.token_from}
        case EmailAnnouncerTable():
            named = {"user": announcer.username_from, "password": announcer.password_from}
    return ((variable, what) for what, variable in named.items() if variable is not None)


def _of_builder(builder: BuilderTable, whose: str, queue: str, environment: Mapping[str, str]) -> Iterator[Finding]:
    for variable, what in _secrets_of_builder(builder):
        yield _credential(_or_file(variable), f"the {what} of {whose}", queue, environment)


def _secrets_of_builder(builder: BuilderTable) -> Iterator[tuple[str, str]]:
    """Each variable that holds what proves to a CI system elsewhere who asks, and what it holds."""
    named: dict[str, str | None] = {}
    match builder:
        case GitHubBuilderTable(token_from=token, app=None):
            named = {"GitHub token": token}
        case GitHubBuilderTable(app=GitHubAppTable(private_key_from=key)):
            named = {"GitHub App's private key": key}
        case AzureBuilderTable(credential=PatCredentialTable(token_from=token)):
            named = {"Azure DevOps token": token}
        case AzureBuilderTable(credential=EntraCredentialTable(secret_from=secret)):
            named = {"Entra application's secret": secret}
    return ((variable, what) for what, variable in named.items() if variable is not None)


def _of_platform_signing(table: PlatformStepTable) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """The variables of each key that signs inside files, what they hold, and the queue whose worker needs them."""
    match table.signing:
        case AuthenticodeTable(tool=OsslSignCodeTable(key=Pkcs12KeyTable() as key)):
            yield (key.file_from,), "PKCS #12 file with the key", table.queue
            if key.passphrase_from is not None:
                yield _or_file(key.passphrase_from), "passphrase of the key's file", table.queue
        case AuthenticodeTable(tool=OsslSignCodeTable(key=Pkcs11KeyTable() as key)):
            yield (key.module_from,), "library of the token with the key", table.queue
            yield (key.certificates_from,), "file with the key's certificates", table.queue
            yield _or_file(key.pin_from), "PIN of the token with the key", table.queue
        case AuthenticodeTable(tool=ArtifactSigningTable(library_from=library)):
            yield (library,), "client library of Azure Artifact Signing", table.queue
        case AppleCodeSigningTable(keychain_from=keychain) if keychain is not None:
            yield (keychain,), "keychain with the key", table.queue
        case NotarizationTable(key_from=variable, queue=queue):
            yield _or_file(variable), "App Store Connect key", queue


def _or_file(variable: str) -> tuple[str, ...]:
    """The variables of which one holds a secret, and the other the path of its file."""
    return (variable, f"{variable}_FILE")


def _credential(names: tuple[str, ...], meaning: str, queue: str, environment: Mapping[str, str]) -> Finding:
    subject = " or ".join(names)
    if any(environment.get(name) for name in names):
        return ok(subject, f"set here: {meaning}")
    return warning(subject, f"not set here: {meaning}", f"set it for the worker that polls {queue}")


def _tool(name: str, environment: Mapping[str, str]) -> Finding:
    oldest = ".".join(map(str, OLDEST[name]))
    hint = f"install {name} {oldest} or later"
    program = shutil.which(name, path=environment.get("PATH", ""))
    if program is None:
        return error(name, "not on the PATH", hint)
    try:
        said = subprocess.run([program, "--version"], capture_output=True, check=True, text=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError) as problem:
        return error(name, f"{program} does not run: {problem}", hint)
    found = re.search(r"\b(\d+)\.(\d+)(\.\d+)*", said)
    if found is None:
        return error(name, f"{program} does not say its version", hint)
    if (int(found[1]), int(found[2])) < OLDEST[name]:
        return error(name, f"{program} is version {found[0]}", hint)
    return ok(name, f"{program}, version {found[0]}")
