"""Opened installations at each stage of the walk (tests/office.py)."""

from tests.office_fixtures import *  # noqa: F403
