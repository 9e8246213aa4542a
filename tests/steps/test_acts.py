"""Every step: one line in the audit, nobody without the role, nobody of another bureau, nobody on both sides."""

import inspect
import pkgutil
import re
from importlib import import_module

import pytest

from portal import steps
from portal.domain.errors import NotAllowed, Refused
from portal.domain.roles import ACTS, ROLES
from portal.steps.verify import verify_installation
from portal.store import accounts, audit, engine
from tests import office
from tests.office import changed_tables, snapshot
from tests.steps.acts import CHANGES

pytestmark = pytest.mark.anyio


def _each(changes):
    return pytest.mark.parametrize("change", changes, ids=[change.name.replace(" ", "-") for change in changes])


each_change = _each(CHANGES)


@pytest.fixture
def folder(request, stages, tmp_path):
    change = request.node.callspec.params["change"]
    return stages.copy(change.stage, tmp_path / "data")


@pytest.fixture
async def house(folder):
    opened = await office.open_house(folder)
    yield opened
    await engine.close_engine()


async def _prepared(change, house):
    return await change.prepare(house) if change.prepare else None


def test_every_step_that_changes_anything_is_in_the_table():
    changing = set()
    for module in pkgutil.iter_modules(steps.__path__):
        for name, function in inspect.getmembers(import_module(f"portal.steps.{module.name}"), inspect.iscoroutinefunction):
            own = function.__module__ == f"portal.steps.{module.name}" and not name.startswith("_")
            if own and "transaction()" in inspect.getsource(function):
                changing.add(f"{module.name}.{name}")
    tested = {"directory.save_entity_rows", "directory.save_inspector_rows", "plan.import_plan", "plan_draft.begin_draft", "plan_draft.begin_plan", "plan_draft.save_row", "plan_draft.settle_row",
              "plan_draft.withdraw_row", "plan_draft.restore_row", "plan_draft.drop_draft", "plan_draft.finish_draft", "pool.freeze_pool", "commit.create_round",
              "commit.make_share", "commit.commit_round", "bundles.export_round", "draw.enter_source", "draw.release_share", "draw.draw_round", "draw.reveal_round",
              "draw.void_round", "visits.combine_visits", "split.split_visit", "arrange.reschedule", "arrange.recuse", "issued.issue_document", "issued.void_document", "assign.assign_inspectors",
              "assign.refill_slots", "replacement.replace_struck", "forms.record_arrival", "forms.save_record", "attachments.attach", "forms.import_records",
              "review.review_record", "follow_ups.close_follow_up", "review.review_round", "publish.request_release", "publish.publish_all",
              "publish.note_rollback", "withdraw.withdraw", "withdraw.limit", "withdraw.correct", "withdraw.release_due", "disclosure.write_bundle",
              "disclosure.save_published", "imports.import_sheet", "imports.accept_codes", "uploads.save_upload", "paper.attach_paper",
              "follow_ups.issue_follow_up", "follow_ups.answer_follow_up", "follow_ups.extend_follow_up", "follow_ups.order_recheck",
              "profile.save_profile", "base.freeze_base", "base.measure_plan", "outside.take_list", "base.approve_plan", "simulation.simulate_plan", "simulation.request_simulation", "caps.allow", "caps.leave_in_peace", "classes.adjust_class",
              "uploads.map_headings", "uploads.request_apply", "uploads.apply_upload", "uploads.apply_queued", "uploads.drop_upload",
              "stations.import_divisions", "stations.import_stations", "stations.assign_stations", "stations.place_entity", "sheet_forms.import_form",
              "accounts.create_account", "accounts.change_account", "accounts.disable_account", "accounts.propose_enable", "accounts.reset_password",
              "accounts.propose_factor", "accounts.grant_roles", "accounts.decide_change", "policy.save_policy", "form_uploads.save_form_upload",
              "form_uploads.apply_form_upload", "form_uploads.drop_form_upload", "lists.note_export", "jobs.cancel_job"}  # fmt: skip
    tested |= {"setup.add_partner", "loading.load_entities", "loading.finish_load", "imports.save_checked"}  # of the imports, for large files: test_loading.py
    # some open their transactions through a helper; the others make an installation, before anybody can act in it
    changing -= {"results.check_results"}  # a trial, taken back
    changing -= {"backup.save_database"}  # tests/cli/test_backup.py
    changing -= {"setup.add_bureau", "plan_below.adopt_below"}  # need a city: test_levels.py, test_plan_below.py
    changing -= {"second_factor.enrol_factor"}  # one's own, whoever one is: tests/web/test_second_factor.py
    helped = {"accounts.propose_enable", "accounts.propose_factor", "plan_draft.save_row", "plan_draft.settle_row", "plan_draft.withdraw_row", "plan_draft.restore_row", "publish.publish_all", "uploads.apply_upload", "imports.import_sheet", "stations.import_stations"}
    assert changing | helped == tested | {"setup.init", "setup.declare", "sample.name_sample_bureau", "sample.fill_sample"}


# The same installation for all: each refusal leaves it as it was, and so the act is still to be done at the end.


@each_change
async def test_a_step_is_refused_to_others_undone_without_its_audit_and_then_writes_its_act_once(change, house, monkeypatch):
    found = await _prepared(change, house)
    outsider = await _somebody_without_the_role(change, house)
    before = await snapshot()
    await _refuses_everybody_without_the_role(change, house, found, outsider)
    assert await snapshot() == before
    if not change.everywhere:
        await _another_bureau_cannot_do_it_to_ours(change, house, found)
        assert await snapshot() == before
    if change.acts:
        with monkeypatch.context() as patch:
            await _its_audit_fails(change, house, found, patch)
        assert await snapshot() == before
    await _writes_its_act_once_and_the_chain_holds(change, house, found, before)


# Roles and bureaus -----------------------------------------------------------


async def _somebody_without_the_role(change, house):
    allowed = ACTS[change.permission]
    if change.name in ("write bundle", "note release"):
        allowed = ACTS["publish.publish"] | ACTS["round.commit"] | ACTS["round.reveal"]
    rest = sorted(set(ROLES) - allowed)
    person = (await accounts.load_account(change.login))["inspector"]
    return await house.account_of("outsider", rest, inspector=person)


async def _refuses_everybody_without_the_role(change, house, found, outsider):
    with pytest.raises(NotAllowed, match="账号“outsider”没有这项权限，本操作由.*办理"):
        await change.run(outsider, house, found)


async def _another_bureau_cannot_do_it_to_ours(change, house, found):
    with pytest.raises(Refused) as refusal:
        await change.run(await house.acting("stranger"), house, found)
    said = [problem.message for problem in refusal.value.problems] or [refusal.value.message]
    assert all(re.search("不在您的辖区|您不是轮次.*的密值持有人", words) for words in said), said


# One act, one line -----------------------------------------------------------


async def _its_audit_fails(change, house, found, patch):
    async def fails(**_):
        raise ZeroDivisionError

    patch.setattr(audit, "save_act", fails)
    with pytest.raises(ZeroDivisionError):
        await change.run(await house.acting(change.login), house, found)


async def _writes_its_act_once_and_the_chain_holds(change, house, found, rows):
    before = (await audit.load_head())["n"]
    made = await change.run(await house.acting(change.login), house, found)
    assert changed_tables(rows, await snapshot()), "the step changes something"
    written = [row["act"] for row in await audit.load_acts(before)]
    wanted = {name: count(made) if callable(count) else count for name, count in change.acts.items()}
    assert {name: written.count(name) for name in set(written)} == wanted
    lines = [line async for line in verify_installation(await house.acting("auditor"))]
    assert all(holds for holds, _ in lines), lines
