"""What all tests share: asyncio for `@pytest.mark.anyio`, PostgreSQL's address, and CI's promise that nothing is skipped."""

import os

import pytest

from tests import cluster


def pytest_configure(config):
    if not hasattr(config, "workerinput"):  # the process that runs pytest, with or without workers
        cluster.own()


def pytest_unconfigure(config):
    if not hasattr(config, "workerinput"):
        cluster.disown()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """`postgresql://...` of a server whose databases tests may make and drop (tests/cluster.py)."""
    if why := cluster.missing():
        pytest.skip(why)
    return cluster.address()


def _refuse_skip(report):
    """With MINGCHA_NO_SKIP set a skip is a failure: a check that did not run has shown nothing."""
    if os.environ.get("MINGCHA_NO_SKIP") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped although MINGCHA_NO_SKIP is set: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    return _refuse_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    return _refuse_skip((yield))
