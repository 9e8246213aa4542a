"""The command line: `portal COMMAND ...`, one contract that scripts depend on."""

import gc

gc.disable()  # what is imported stays: looking through it again and again for garbage is a twelfth of a command's start
try:
    from portal.cli.main import main
finally:
    gc.enable()
    gc.freeze()

__all__ = ["main"]
