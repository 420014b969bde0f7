"""Baton: releases that belong to a team.

The product's own code. It knows nothing of Temporal, but for :mod:`baton.cli` and :mod:`baton.sandbox`.
"""

__version__ = "0.1.0"
