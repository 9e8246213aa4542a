"""The command line: `portal COMMAND ...`, one contract that scripts depend on."""

from portal.cli.main import main

__all__ = ["main"]
