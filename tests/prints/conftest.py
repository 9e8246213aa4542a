import pytest

from portal.domain.errors import WrongMoment
from portal.prints.fonts import find_faces
from portal.prints.render import Printer


@pytest.fixture(scope="session")
def fonts_folder(tmp_path_factory):
    _, missing = find_faces()
    if missing:
        pytest.skip("no Chinese font: apt-get install fonts-noto-cjk")
    return tmp_path_factory.mktemp("fonts")


@pytest.fixture(scope="session")
def printer(fonts_folder):
    try:
        with Printer(fonts_folder, workers=1) as printer:
            yield printer
    except WrongMoment as reason:
        pytest.skip(str(reason))
