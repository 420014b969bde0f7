"""The JSON Schema of `release.toml`, for editors and for whoever generates such files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import GenerateJsonSchema

from baton.project.schema import ReleaseFile

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import core_schema

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _ForToml(GenerateJsonSchema):
    """TOML has no null, keys are their own titles, and a table with patterns for its keys takes no others."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        made = super().default_schema(schema)
        return {key: value for key, value in made.items() if (key, value) != ("default", None)}

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        made = super().dict_schema(schema)
        return made | {"additionalProperties": False} if "patternProperties" in made else made

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002  # the signature is pydantic's
        return False


def json_schema() -> dict[str, Any]:
    """The JSON Schema of `release.toml`."""
    made = ReleaseFile.model_json_schema(schema_generator=_ForToml)
    return {"$schema": DIALECT, "title": "release.toml", **{k: v for k, v in made.items() if k != "title"}}


def published() -> str:
    """The schema as `docs/release.schema.json` holds it."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(published(), end="")  # noqa: T201  # the module run by itself is what writes the published file
