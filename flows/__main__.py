"""`python -m flows` is `roster`."""

from flows.cli import main

main()
