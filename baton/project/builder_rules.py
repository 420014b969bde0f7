"""What must agree within a builder, with what varies in it, and with where it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from baton.project.builder_parts import builder
from baton.project.builder_tables import AzureBuilderTable, EntraCredentialTable, GitHubBuilderTable
from baton.project.problem import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baton.project.builder_tables import BuilderTable
    from baton.project.problem import Place
    from baton.project.schema import ReleaseFile
    from baton.project.step_tables import VariantTable

_ANY_VERSION = "0"


def builder_faults(settings: ReleaseFile) -> Iterator[Fault]:
    """Builders that can't work, variants of keys that they don't have, and simulators in real projects."""
    for index, step in enumerate(settings.steps):
        place: Place = ("steps", index)
        unfit = list(misfits(step.builder, (*place, "builder")))
        yield from unfit
        if not settings.project.sandbox:
            yield from simulators(step.builder, (*place, "builder"))
        for number, variant in enumerate(step.variants):
            where: Place = (*place, "variants", number)
            foreign = list(_foreign(variant, step.builder, where))
            yield from foreign
            if not foreign and not unfit:
                yield from misfits(variant.over(step.builder), where)


def misfits(table: BuilderTable, place: Place) -> Iterator[Fault]:
    """What of a builder's keys doesn't fit the others."""
    try:
        builder(table, _ANY_VERSION)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            yield Fault(place, _as_written(detail["msg"].removeprefix("Value error, "), table))


def _as_written(fact: str, table: BuilderTable) -> str:
    """The model speaks of its fields, which the file's keys are but for their hyphens."""
    for field, described in type(table).model_fields.items():
        fact = fact.replace(field, described.alias or field)
    return fact


def _foreign(variant: VariantTable, table: BuilderTable, place: Place) -> Iterator[Fault]:
    fields = type(table).model_fields
    changed = variant.of_the_builder
    for field in changed:
        if field.removeprefix("add_") not in fields:
            yield Fault((*place, field.replace("_", "-")), f"a builder of kind {table.kind} has no such key")
    if not (changed or variant.files or variant.add_files):
        yield Fault(place, "changes nothing; name what the step does otherwise")


def simulators(table: BuilderTable, place: Place) -> Iterator[Fault]:
    """Addresses of a builder at which only a simulator can be."""
    addresses: dict[tuple[str, ...], str] = {}
    match table:
        case GitHubBuilderTable(api=api):
            addresses = {("api",): api}
        case AzureBuilderTable(organization=organization, credential=EntraCredentialTable(authority=authority)):
            addresses = {("organization",): organization, ("credential", "authority"): authority}
        case AzureBuilderTable(organization=organization):
            addresses = {("organization",): organization}
    for key, address in addresses.items():
        if address.startswith("http://"):
            fact = f'found "{address}", a simulator, which only counts where project.sandbox is true'
            yield Fault((*place, *key), fact)
