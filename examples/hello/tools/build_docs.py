"""Build the documentation into one zip file: ``python tools/build_docs.py``.

The same source gives the same bytes: entries are sorted and carry the time of ``SOURCE_DATE_EPOCH``, which Sphinx
reads too.
"""

import os
import time
import zipfile

from sphinx.cmd.build import build_main

from project import BUILD, DIST, ROOT, version

EPOCH_OF_ZIP = 315532800  # 1980-01-01: a zip file can't say anything earlier

html = BUILD / "html"
if build_main(["-b", "html", "-E", "-q", "-W", "-d", str(BUILD / "doctrees"), str(ROOT / "docs"), str(html)]):
    raise SystemExit("Sphinx could not build the documentation")

folder = f"hello-{version()}-docs"
moment = time.gmtime(max(EPOCH_OF_ZIP, int(os.environ.get("SOURCE_DATE_EPOCH", EPOCH_OF_ZIP))))
DIST.mkdir(exist_ok=True)
with zipfile.ZipFile(DIST / f"{folder}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    for page in sorted(path for path in html.rglob("*") if path.is_file() and path.name != ".buildinfo"):
        entry = zipfile.ZipInfo(f"{folder}/{page.relative_to(html).as_posix()}", moment[:6])
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = 0o644 << 16
        entry.create_system = 3  # Unix, whatever it was built on
        archive.writestr(entry, page.read_bytes())
print(f"dist/{folder}.zip: {len(archive.namelist())} pages and files")
