from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.project.template import expand, known_and_bare


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("spam-{version}.tar.gz", "spam-3.14.1.tar.gz"),
        ("{version}/{version}", "3.14.1/3.14.1"),
        ("{{version}}", "{version}"),
        ('{"json": [{}]} ${HOME} { print }', '{"json": [{}]} ${HOME} { print }'),
    ],
)
def test_only_placeholders_are_replaced(template: str, expected: str) -> None:
    assert expand(template, "3.14.1") == expected


def test_a_misspelt_placeholder_is_told_and_not_handed_on() -> None:
    with pytest.raises(ValueError, match=r"unknown placeholder \{verison\}; accepted: \{version\}, or \{\{verison\}\}"):
        expand("spam-{verison}", "3.14.1")


@pytest.mark.parametrize("template", ["{", "spam}", "{Version}", "{{version}}"])
def test_a_name_has_no_stray_braces(template: str) -> None:
    with pytest.raises(ValueError, match="braces only around a placeholder"):
        known_and_bare(template)


@given(st.text(alphabet=st.characters(exclude_characters="{}")))
def test_a_text_without_braces_stays_as_it_is(text: str) -> None:
    assert expand(text, "1") == text
