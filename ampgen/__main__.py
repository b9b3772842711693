"""``python -m ampgen``."""

from ampgen.cli import main

main()
