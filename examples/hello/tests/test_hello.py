"""The project's own tests: ``python -m unittest discover tests``."""

import unittest

from hello import __version__, greeting


class Greeting(unittest.TestCase):
    """What hello says."""

    def test_greets_the_world_unless_told_whom(self) -> None:
        self.assertEqual(greeting(), f"Hello, world! This is hello {__version__}.")

    def test_greets_by_name(self) -> None:
        self.assertIn("Hello, Ada!", greeting("Ada"))
