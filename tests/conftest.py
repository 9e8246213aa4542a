"""What all tests share: asyncio for `@pytest.mark.anyio`, PostgreSQL's address, and CI's promise that nothing is skipped.

And what only makes them quicker: a folder in memory for what they write, and the longest files first.
"""

import contextlib
import gc
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import hypothesis
import pytest

from portal.prints import nursery
from tests import NOTHING_LEFT_OUT, cluster, pools

hypothesis.settings.register_profile("mingcha", deadline=None)  # a busy machine is no mistake of an example
hypothesis.settings.load_profile("mingcha")

# As in `run`, for who calls pytest directly: else each worker rewrites every assertion in each run, and each process compiles the program.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

gc.disable()  # until all is imported and collected, and stays: looking for garbage in between is a tenth of that time


def pytest_collection(session):
    worker = getattr(session.config, "workerinput", None)
    if worker and [Path(arg).name for arg in session.config.args] == ["tests"]:
        with contextlib.suppress(Exception):  # inner names of pytest: where they are others it is only slower
            _rewrite_share(session.config, int(worker["workerid"].removeprefix("gw")), worker["workercount"])


def _rewrite_share(config, number, count):
    """The first run of a checkout: a worker rewrites the assertions of its share of the files, not of all beside the others doing the same."""
    from _pytest.assertion import rewrite

    for file in sorted(Path(__file__).parent.rglob("test_*.py"))[number::count]:
        folder = rewrite.get_cache_dir(file)
        compiled = folder / f"{file.stem}{rewrite.PYC_TAIL}"
        if not compiled.exists() and rewrite.try_makedirs(folder):
            digest, code = rewrite._rewrite_test(file, config)
            rewrite._write_pyc(config.stash[rewrite.assertstate_key], code, digest, compiled)


def pytest_collection_finish():
    gc.enable()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)  # what a test leaves is small; looking for garbage at every 700th object took a twentieth of the time


def _stop(*_):
    raise KeyboardInterrupt


def pytest_configure(config):
    if not hasattr(config, "workerinput"):  # the process that runs pytest, with or without workers
        signal.signal(signal.SIGTERM, _stop)  # as Ctrl-C does: the server must not stay behind
        cluster.own()


def pytest_unconfigure(config):
    if not hasattr(config, "workerinput"):
        cluster.disown()


#: Thousands of small files are written and dropped: in memory, where there is room for far more than they need.
MEMORY, ROOM = "/dev/shm", 4 << 30
if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
    tempfile.tempdir = os.environ["TMPDIR"] = MEMORY

#: A file is one worker's from its start to its end, so the one that starts last had better be short. Longest first.
LONGEST = (
    "test_real_walk.py", "test_backup.py", "test_at_once.py", "test_every_form.py", "test_demo.py", "test_path.py", "test_axe.py", "test_access.py", "test_acts.py",
    "test_crash.py", "test_draw_statistics.py", "test_release.py", "test_schema.py", "test_documents.py", "test_caps_in_store.py", "test_draw.py", "test_loading.py",
    "test_records.py", "test_build.py", "test_texts.py", "test_render.py", "test_quicker.py", "test_sums.py", "test_hostile.py", "test_walk.py", "test_evidence.py",
    "test_whose_codes.py", "test_lists.py", "test_site_contract.py", "test_record_template.py", "test_visits.py", "test_joint_check.py", "test_quick.py",
    "test_invariants.py", "test_commit.py", "test_replacement.py", "test_city.py", "test_verify_js.py", "test_sectors.py", "test_classes.py", "test_audit.py",
    "test_stations.py", "test_once.py", "test_usage.py", "test_imports.py", "test_tally.py", "test_verify_py.py", "test_texts_command.py", "test_matrix.py",
    "test_plan.py", "test_sample.py", "test_attachments.py", "test_levels.py", "test_sector_order.py", "test_installation.py", "test_engine.py", "test_pieces.py",
)  # fmt: skip


#: Files with long families: one test for each act, each role, each table, each place to be killed at. A newcomer's `./run test` takes every
#: fifth of a family, other ones on the other engine; .ci/run takes all, and so does whoever names a file.
FAMILIES = (
    "test_acts.py", "test_at_once.py", "test_crash.py", "test_access.py", "test_evidence.py", "test_hostile.py", "test_backup.py",
    "test_schema.py", "test_release.py", "test_posts.py", "test_sums.py", "test_records.py", "test_commit.py", "test_documents.py", "test_whose_codes.py",
    "test_build.py",
)  # fmt: skip
LONG, SHARE = 3, 5


def _leave_to_ci(items):
    families = {}
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.skip(reason="takes seconds and is run by .ci/run, and where its file is named"))
        if item.path.name in FAMILIES and hasattr(item, "callspec"):
            engine = {"sqlite", "postgres"} & {str(value) for value in item.callspec.params.values()}
            families.setdefault((item.path, item.originalname, *engine), []).append(item)
    for (_, _, *engine), family in families.items():
        if len(family) > LONG:
            for n, item in enumerate(family):
                if n % SHARE != (1 if engine == ["postgres"] else 0):
                    item.add_marker(pytest.mark.skip(reason=f"one of {SHARE} of a long family is run here, all of it by .ci/run"))


def pytest_collection_modifyitems(config, items):
    if not NOTHING_LEFT_OUT and [Path(arg).name for arg in config.args] == ["tests"]:
        _leave_to_ci(items)
    place = {name: n for n, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(LONGEST)))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
async def one_loop(anyio_backend):
    """From the first test that asks for it, all tests run in one loop: their connections can wait for the next test."""
    with pools.kept_open():
        yield


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """`postgresql://...` of a server whose databases tests may make and drop (tests/cluster.py)."""
    if why := cluster.missing():
        pytest.skip(why)
    return cluster.address()


@pytest.fixture(scope="session")
def one_nursery():
    """All printers of a test process fork their workers from the same nursery: each would import WeasyPrint anew."""
    with nursery.shared():
        yield


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
