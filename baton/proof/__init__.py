"""People proving that they said something: signing statements, and verifying them against the roster.

A statement is an in-toto Statement in a DSSE envelope, signed with what the person has: an SSH key, an OpenPGP key, or
a Sigstore identity.
"""

from baton.proof.find import find_key
from baton.proof.instance import Sigstore
from baton.proof.prove import prove
from baton.proof.seal import seal

__all__ = ["Sigstore", "find_key", "prove", "seal"]
