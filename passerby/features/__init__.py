"""Pure array code: camera normalization, neighbours, clustering. No socket, clock, thread or database."""
