"""Values and rules: what a release is, who may act in it, and when a gate has passed.

Pure and deterministic: no I/O, no clock, nothing else of Baton's, so that workflow code may use all of it.
"""
