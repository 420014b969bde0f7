"""The page: static, from nowhere else, readable on a phone and in the dark, and nobody's words are markup in it."""

from __future__ import annotations

import re
import shutil
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import async_playwright

from baton.evidence.page import _link
from tests.e2e.test_people import CHROMIUM

if TYPE_CHECKING:
    from tests.evidence.conftest import Told

VOID = {"meta", "br"}


class Markup(HTMLParser):
    """Which elements there are, whether each is closed, and where they lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: set[str] = set()
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on") or name in ("src", "style")], attrs
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_static_whole_and_leads_to_the_documents(told: Told) -> None:
    text = (told.folder / "index.html").read_text(encoding="utf-8")
    markup = Markup(text)
    assert markup.open == []
    assert not markup.elements & {"script", "link", "iframe", "img", "object", "form", "base"}
    assert not re.search(r"url\(|@import", text)
    local = [link for link in markup.links if not link.startswith("https://example.org/")]
    assert len(local) > 30
    assert all((told.folder / link).is_file() for link in local)


def test_nobodys_words_are_markup_in_it(told: Told) -> None:
    text = (told.folder / "index.html").read_text(encoding="utf-8")
    assert "Hello &lt;again&gt; 1.0.0" in text
    assert "tested on &lt;b&gt;my&lt;/b&gt; machine" in text
    assert not re.search("<b>|<again>", text)


def test_it_says_who_agreed_with_what_who_was_refused_and_how_to_verify_each_file(told: Told) -> None:
    text = (told.folder / "index.html").read_text(encoding="utf-8")
    assert "16 acts in the order in which they were heard, each linked to the one before; 6 of them refused." in text
    assert "mallory is not on the roster; on it: ada, grace, katherine" in text
    assert 'Grace <span class="soft">(grace)</span>: skip of windows, attempt 2' in text
    assert "gpg --verify hello.tar.gz.asc hello.tar.gz" in text
    assert "sigstore --trust-config trust_config.json verify identity --bundle hello.pkg.sigstore.json" in text
    assert f'<dt>Plan</dt><dd><code class="digest">{told.status.plan}</code>' in text


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "file:///etc/passwd"])
def test_what_is_no_web_address_is_no_link(address: str) -> None:
    assert _link(address) == ""
    assert _link("https://ci.example.org/1") == "https://ci.example.org/1"


@pytest.mark.e2e
async def test_a_browser_shows_all_of_it_on_a_phone_in_the_dark_and_asks_for_nothing(told: Told) -> None:
    asked: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        page = await browser.new_page(viewport={"width": 360, "height": 740}, color_scheme="dark")
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: asked.append(message.text))
        await page.goto((told.folder / "index.html").as_uri())
        await page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
        widest = await page.evaluate("document.documentElement.scrollWidth")
        colour = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        headings = await page.get_by_role("heading").all_inner_texts()
        await browser.close()
    assert widest <= 360
    assert colour == "rgb(20, 24, 28)"
    assert headings[1:] == ["Platform by stage", "Files", "Who agreed to what", "Everything that people said", "Log"]
    assert asked == [(told.folder / "index.html").as_uri()]
