"""The `passerby` command: one file per command group. Only here do edge, hub and training meet."""
