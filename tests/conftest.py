"""What all tests share: asyncio for `@pytest.mark.anyio`, and CI's promise that nothing is skipped."""

import os

import pytest


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


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
