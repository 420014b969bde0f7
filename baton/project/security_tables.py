"""How a project ships security fixes in several streams at once, as `[security]` of its `release.toml` says."""

from typing import Annotated

from pydantic import Field, Strict

from baton.model.base import Name
from baton.model.plan import SignWhen
from baton.project.fields import Duration, Repository, Table


class SecurityTable(Table):
    """Releases of several streams that go public together, behind one barrier and one sign-off."""

    needs: dict[Name, Annotated[int, Field(ge=1, le=20)]] = Field(min_length=1, max_length=10)
    """How many different people of each role must agree to all streams' files at once, at the gate `joint`. It stands
    in for the project's own gates before `sign` and `publish`."""

    starter_counts: bool = Field(default=True, alias="starter-counts")
    """Whether the one who started the security release counts."""

    embargo: bool = True
    """Whether nothing may tell of it before the barrier opens: then the names that Temporal shows in the clear hold no
    version."""

    sign: Annotated[SignWhen, Strict(strict=False)] = Field(default="at-barrier", validate_default=True)
    """When files are signed: `at-barrier`, or `early`, as soon as they are there. Each Sigstore signature is a public
    log entry with the file's digest and the signing identity, so that what is signed early can be noticed early."""

    repository: Repository | None = None
    """Where the fixes are while they are not public: a git URL, or a path relative to this file. Streams are built from
    there, and what outside CI systems build is put there; the tags go to the project's own repository, once all is
    public."""

    pause: Duration | None = None
    """How long to wait between one stream and the next when they go public; by default all do at once."""
