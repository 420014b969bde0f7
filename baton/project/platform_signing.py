"""Signing inside the files, from the tables that describe it, and what must agree between these and the steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from baton.model.code_signing import AppleCodeSigning, Authenticode, Notarization, PlatformStep
from baton.project.explain import near
from baton.project.fields import seconds
from baton.project.platform_tables import AppleCodeSigningTable, AuthenticodeTable, NotarizationTable
from baton.project.problem import Fault
from baton.project.selection import Occasion, occasions
from baton.project.step_rules import TAKEN, TAKEN_BEGINNINGS
from baton.project.step_tables import steps_on
from baton.project.template import expand

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from baton.model.code_signing import PlatformSigning
    from baton.model.version import Stream
    from baton.project.platform_tables import PlatformSigningTable
    from baton.project.read import Project
    from baton.project.schema import ReleaseFile


def platform_steps(project: Project, stream: Stream, version: str) -> tuple[PlatformStep, ...]:
    """The platform signing that this version of a stream has.

    Raises:
        ValidationError: with this version in it, a file's name is none.
    """
    occasion = Occasion.of(version, stream)
    return tuple(
        PlatformStep(
            name=table.name,
            of=table.of,
            signing=_signing(table.signing, project.certificates),
            files=tuple(expand(file, version) for file in table.files),
            queue=table.queue,
            role=table.role,
            timeout=seconds(table.timeout),
            wait_for_runner=seconds(table.wait_for_runner),
        )
        for table in project.settings.platform_signing
        if occasion.is_meant(table)
    )


def _signing(table: PlatformSigningTable, certificates: Mapping[str, str]) -> PlatformSigning:
    fields = table.model_dump()
    match table:
        case AuthenticodeTable(signer=signer):
            roots = {"roots": certificates[signer.roots], "timestamp_roots": certificates[signer.timestamp_roots]}
            return Authenticode.model_validate({**fields, "signer": {**fields["signer"], **roots}})
        case AppleCodeSigningTable(identity=identity):
            # The id of the team stands in parentheses at the end of the certificate's name.
            return AppleCodeSigning.model_validate({**fields, "team": identity.rpartition("(")[2].removesuffix(")")})
        case NotarizationTable():
            return Notarization.model_validate(fields)
        case _:
            assert_never(table)


def platform_faults(settings: ReleaseFile) -> Iterator[Fault]:
    """Platform signing that signs what nothing makes, or what other signing signs as well."""
    yield from _names(settings)
    for occasion in occasions(settings):
        yield from _faults_on(occasion, settings)


def _names(settings: ReleaseFile) -> Iterator[Fault]:
    names = {step.name for step in settings.steps}
    for index, table in enumerate(settings.platform_signing):
        place = ("platform-signing", index, "name")
        if table.name in names:
            yield Fault(place, f'found "{table.name}", which is the name of another step')
        if table.name in TAKEN or table.name.startswith(TAKEN_BEGINNINGS):
            yield Fault(place, f'found "{table.name}", which is a name of Baton\'s own work; take another')
        names.add(table.name)


def _faults_on(occasion: Occasion, settings: ReleaseFile) -> Iterator[Fault]:
    steps = steps_on(occasion, settings.steps).values()
    files = {step.name: frozenset(step.files) for step in steps if step.agrees_with is None}
    signed: set[str] = set()
    for index, table in enumerate(settings.platform_signing):
        if not occasion.is_meant(table):
            continue
        place = ("platform-signing", index, "of")
        if table.of not in files:
            accepted = ", ".join(files) or "no step before it releases files"
            fact = f'found "{table.of}"; accepted in {occasion}: {accepted}{near(table.of, files)}'
            yield Fault(place, fact)
            continue
        if table.of in signed:
            yield Fault(place, f'found "{table.of}" a second time; name the signing that stands before this')
        signed.add(table.of)
        files[table.name] = files[table.of]
        for number, file in enumerate(table.files):
            if file not in files[table.of]:
                fact = f'found "{file}", which {table.of} does not make{near(file, files[table.of])}'
                yield Fault(("platform-signing", index, "files", number), fact)
