"""The two pages that a person sees when signing in."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from baton.sandbox.sigstore.oidc import AuthorizationRequest

_PAGE: Final = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in to the Baton sandbox</title>
<style>
  body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 10vh auto; padding: 0 1rem; }}
  strong {{ color: #8a1f11; }}
  input, button {{ font: inherit; padding: .4rem .6rem; }}
  input {{ width: 100%; box-sizing: border-box; margin: .3rem 0 1rem; }}
  code {{ display: block; padding: .6rem; background: #f2f2f2; color: #111; overflow-wrap: anywhere; }}
</style>
<main>
<h1>Baton sandbox</h1>
<p><strong>For development only.</strong> Nothing checks that you are who you say.</p>
{content}
</main>
</html>
"""

_FORM: Final = """\
<form method="post">
{fields}
<label for="email">Sign in as</label>
<input id="email" name="email" type="email" autocomplete="email" placeholder="someone@example.org" required autofocus>
<button>Sign in</button>
</form>"""

_CODE: Final = """\
<p>Give this code to the program that asked for it:</p>
<code id="code">{code}</code>"""


def sign_in_page(request: AuthorizationRequest) -> str:
    """Asks who signs in, and carries the client's request along in the form."""
    fields = "\n".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in request.model_dump(exclude_none=True).items()
    )
    return _PAGE.format(content=_FORM.format(fields=fields))


def code_page(code: str) -> str:
    """Shows the code to a person whose client has no browser at hand."""
    return _PAGE.format(content=_CODE.format(code=escape(code)))
