"""Light a lantern."""

import sys


def light(name: str) -> str:
    """What the lantern shows to somebody; the fix: whatever they call themselves, it is one line."""
    return f"A light for {' '.join(name.split()) or 'everyone'}."


if __name__ == "__main__":
    print(light(" ".join(sys.argv[1:])))
