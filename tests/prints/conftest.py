import pytest

from portal.prints.render import Printer


@pytest.fixture(scope="session")
def fonts_folder(tmp_path_factory):
    """Where all printers of the session keep their fonts: unpacking takes a second or two."""
    return tmp_path_factory.mktemp("fonts")


@pytest.fixture(scope="session")
def printer(fonts_folder):
    with Printer(fonts_folder, workers=1) as printer:
        yield printer
