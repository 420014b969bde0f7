"""What people type: the commands, their arguments and their help, and nothing else.

Each imports what it does only when it is called. Temporal's client and the model take most of a second to load, and
``--help`` and completion must not wait for them.
"""
