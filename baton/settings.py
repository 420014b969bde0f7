"""What one worker process is given by its environment: places and credentials, never part of a plan."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _search_path(text: object) -> object:
    return tuple(part for part in text.split(os.pathsep) if part) if isinstance(text, str) else text


class WorkerSettings(BaseSettings):
    """A worker's settings, read from environment variables that begin with ``BATON_``.

    A worker has only what its queues need: the signing worker the key, the publishing worker the target.

    Attributes:
        store: where content is kept: a folder path, or an ``s3://bucket/prefix`` address.
        workspace: where checkouts and temporary files go; it needs room for the release several times over.
        build_cache: what build tools may keep between builds. It makes builds faster, and lets one build change the
            next one's result: for sandboxes and rehearsals.
        sandbox: the state folder of the embedded world; a worker that has it takes only sandbox plans.
        projects: the ``release.toml`` files by which this worker judges what it is asked to do and what people signed,
            separated like a search path; for real releases every worker needs them but those that build.
        gpg_home: GnuPG home with the team's signing subkey. At most 86 bytes long, for the agent's sockets.
        gpg_passphrase: its passphrase, if it has one; or in a file:
        gpg_passphrase_file: a file whose first line is the passphrase.
        sigstore_trust_config: a Sigstore client trust configuration; by default the plan's instance decides.
        identity_token_file: a file with an OIDC token that the platform refreshes.
        identity_token_command: a command that prints such a token; split into words as by a shell, run without one.
        identity_token_url: an OAuth 2.0 token endpoint for client credentials (RFC 6749, section 4.4).
        identity_client_id: the client there.
        identity_client_secret_file: a file with the client's secret.
        public_root: where the sandbox target keeps its folders.
        public_url: the address that serves the sandbox target's public folder.
        codec_keys: the keys that encrypt what passes through Temporal, each as ``PROJECT:KEY``; or in a file:
        codec_keys_file: a file with them that nobody but its owner may read.
        codec_plain: whether unencrypted payloads of projects that have a key are taken: ``refuse``, or ``accept`` until
            the releases have ended that began without a key.
    """

    model_config = SettingsConfigDict(env_prefix="BATON_", frozen=True, extra="ignore")

    store: str = Field(default_factory=lambda: str(platformdirs.user_data_path("baton") / "store"))
    workspace: Path = Field(default_factory=lambda: platformdirs.user_cache_path("baton") / "work")
    build_cache: Path | None = None
    sandbox: Path | None = None
    projects: Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_search_path)] = ()
    gpg_home: Path | None = None
    gpg_passphrase: SecretStr | None = None
    gpg_passphrase_file: Path | None = None
    sigstore_trust_config: Path | None = None
    identity_token_file: Path | None = None
    identity_token_command: str | None = None
    identity_token_url: str | None = None
    identity_client_id: str | None = None
    identity_client_secret_file: Path | None = None
    public_root: Path | None = None
    public_url: str | None = None
    codec_keys: SecretStr | None = None
    codec_keys_file: Path | None = None
    codec_plain: Literal["refuse", "accept"] = "refuse"
