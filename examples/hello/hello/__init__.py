"""Say hello."""

__version__ = "1.0.0"


def greeting(name: str = "world") -> str:
    """What hello says to someone of this name."""
    return f"Hello, {name}! This is hello {__version__}."
