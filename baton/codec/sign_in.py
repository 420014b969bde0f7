"""The one page of the codec server: where a person's browser gets what lets the Web UI read."""

from __future__ import annotations

from html import escape

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Baton codec server</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 4rem auto; padding: 0 1rem }}
input {{ font: inherit; width: 100%; box-sizing: border-box; padding: .5rem; margin: .5rem 0 }}
button {{ font: inherit; padding: .5rem 1rem }}
</style>
<h1>Read what is encrypted</h1>
{news}
<form method="post" action="/sign-in">
<label>Your token for the codec server<input type="password" name="token" autocomplete="off" required></label>
<button>Sign in</button>
</form>
<p>In Temporal's Web UI, open the codec server's settings (the glasses), and switch on
<em>Include cross-origin credentials</em>.</p>
"""


def page(*, signed_in: bool = False, refusal: str = "") -> str:
    """The page, with what became of signing in."""
    if refusal:
        news = f'<p role="alert">{escape(refusal)}</p>'
    else:
        news = "<p>This browser is signed in.</p>" if signed_in else ""
    return _PAGE.format(news=news)
