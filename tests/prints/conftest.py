import pytest

from portal.prints.render import Printer
from tests.once import ready_fonts


@pytest.fixture(scope="session")
def fonts_folder(tmp_path_factory):
    """Where all printers of all test processes keep their fonts."""
    return ready_fonts(tmp_path_factory)


@pytest.fixture(scope="session")
def printer(fonts_folder, one_nursery):
    with Printer(fonts_folder, workers=1) as printer:
        yield printer
