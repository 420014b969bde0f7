"""Looks at what was built before anyone is asked about it: the expected files, and archives that are safe to open."""

from baton.inspection.archive import inspect_archive
from baton.inspection.files import compare_names, inspect_files
from baton.inspection.result import Finding, Inspection

__all__ = ["Finding", "Inspection", "compare_names", "inspect_archive", "inspect_files"]
