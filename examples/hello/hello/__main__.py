"""``python -m hello [NAME]`` says hello."""

import sys

from hello import greeting


def main() -> None:
    """Say hello to the person named on the command line, or to the world."""
    print(greeting(*sys.argv[1:2]))


if __name__ == "__main__":
    main()
