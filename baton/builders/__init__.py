"""How a step gets its artifacts made: one port, one file for each way.

The ways that run a project's own commands share a clean place to do it: :mod:`baton.builders.workspace`.
"""
