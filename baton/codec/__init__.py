"""Encryption of everything that passes through Temporal: keys, the payload codec, and the server that reads for people.

Temporal keeps what it is given for as long as its retention says, in a database, in its backups and in the hands of
whoever operates it. With keys, it is given ciphertext. See https://docs.temporal.io/payload-codec.
"""
