"""One side effect each, idempotent and thin: translate, call an adapter, return a reference."""
