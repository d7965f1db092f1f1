"""`python -m passerby` is the `passerby` command."""

from passerby.cli.app import main

main()
