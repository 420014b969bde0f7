"""Simulators of outside CI systems: each speaks its system's API on loopback and really builds, on this machine.

For development only. They check as little as a test needs, and prove nothing.
"""
