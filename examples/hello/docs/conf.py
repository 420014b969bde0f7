"""How Sphinx renders the documentation: ``python tools/build_docs.py`` runs it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from hello import __version__

project = "hello"
version = release = __version__
html_theme = "basic"
html_copy_source = False
html_show_sphinx = False
