"""`python -m slowpoints`."""

from slowpoints.cli import main

main()
