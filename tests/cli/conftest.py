"""Installations at each stage of the walk (tests/office.py), worked on by commands."""

import pytest

from tests.cli.command import Portal
from tests.office_fixtures import *  # noqa: F403


@pytest.fixture
def filled_portal(filled_folder):
    return Portal(filled_folder)


@pytest.fixture
def committed_portal(committed_folder):
    return Portal(committed_folder)


@pytest.fixture
def drawn_portal(drawn_folder):
    return Portal(drawn_folder)


@pytest.fixture
def nowhere(tmp_path):
    """The command line where nothing has been made yet."""
    return Portal(tmp_path / "none")
