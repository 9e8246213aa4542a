"""Spreadsheets that others made: each becomes a form, or is refused by sheet, row and column for what is not supported."""

import io

import pytest

from portal.domain.declarations import check_form
from portal.domain.errors import BadInput
from portal.domain.xlsform import UNSUPPORTED, sheet_of
from portal.domain.xlsform_reading import read_xlsform
from portal.sheets.workbook import read_workbook, read_workbook_limited
from portal.sheets.write import write_workbook
from tests.shared import shared_file
from tests.sheets.hostile import FILES as FILES_THAT_HURT

# file -> (code, version, how many fields) or what is refused first and how many refusals there are.
# What is no UNSUPPORTED feature is a mistake in the file itself.
FILES = {
    "bug_UCL_Biomass_Plot_Form.xlsx": (25, "survey", 16, "type", "external"),
    "bug_badly_named_choices_sheet.xls": ("toys.bug_badly_named_choices_sheet", "1", 3),
    "bug_duplicate_columns.xlsx": (24, "survey", 1, "label", "这一列重复出现"),
    "bug_xl_date_ambiguous.xlsx": (4, "survey", 5, "choice_filter", "choice_filter"),
    "choice_filter_test.xlsx": (3, "survey", 3, "choice_filter", "choice_filter"),
    "flat_xlsform_test.xlsx": (27, "survey", 3, "relevant", "forward"),
    "table-list.xls": (2, "choices", 23, "label", "media"),
    "tutorial.xls": ("toys.tutorial", "1", 1),
    "unknown_question_type.xls": (42, "survey", 14, "bind:relevant", "expression"),
    "xlsform_spec_test.xlsx": (26, "survey", 5, "label::english", "reference_in_text"),
    "yes_or_no_question.xlsx": ("toys.yes_or_no_question", "1", 1),
    "zh_registration_check_ours.xlsx": ("toys.reg_check", "2026112201", 10),
}


def read(name):
    file = shared_file(f"xlsform/{name}")
    return read_xlsform(read_workbook(file.read_bytes(), file.name, sheet_of), "toys", stem=file.stem)


@pytest.mark.shared
@pytest.mark.parametrize("name", FILES)
def test_each_file_becomes_a_form_or_is_refused_where_it_stands(name):
    found, wanted = read(name), FILES[name]
    if found.form:
        assert (found.form.code, found.form.version, len(found.form.fields())) == wanted and check_form(found.form) == []
        return
    count, sheet, row, column, feature = wanted
    first = found.refusals[0]
    assert (len(found.refusals), first.sheet, first.row, first.field) == (count, sheet, row, column)
    assert first.message.startswith(f"不支持{UNSUPPORTED[feature]}" if feature in UNSUPPORTED else feature)
    assert all(problem.sheet and problem.row and problem.message.endswith("。") for problem in found.refusals)


@pytest.mark.shared
def test_no_file_is_left_out_of_the_table():
    folder = shared_file("xlsform/tutorial.xls").parent
    assert sorted(file.name for file in folder.iterdir()) == sorted(FILES)


def test_a_workbook_is_read_in_processes_of_their_own_just_the_same():
    data = write_workbook({"说明": [["不读"]], "Survey ": [["type", "name"], ["text", "a"]], "choices": []})
    found = read_workbook_limited(data, "a.xlsx", sheet_of)
    assert found == read_workbook(data, "a.xlsx", sheet_of)
    assert [(name, len(sheet.rows)) for name, sheet in found.items()] == [("说明", 0), ("Survey ", 2), ("choices", 0)]


def test_two_sheets_of_one_name_are_refused_and_only_the_first_is_read():
    data = write_workbook({"survey": [["type", "name", "label"], ["text", "a", "甲"]], **{f"survey{' ' * n}": [["x"]] for n in range(1, 20)}})
    sheets = read_workbook_limited(data, "a.xlsx", sheet_of)
    assert sum(bool(sheet.rows) for sheet in sheets.values()) == 1
    assert str(read_xlsform(sheets, "toys", stem="a").refusals[0]).startswith("survey 表第 1 行：有几张工作表都叫 survey（“survey”、“survey ”、")


def test_a_file_made_to_hurt_is_refused_as_everywhere():
    called, make, says = FILES_THAT_HURT["XFD1048576"]
    with pytest.raises(BadInput, match=says):
        read_workbook_limited(make(), called, sheet_of)


# Beside pyxform -------------------------------------------------------------------------


def accepted_by_pyxform(data):
    pyxform = pytest.importorskip("pyxform.xls2xform", reason="pyxform is a dependency of the tests (extra `test`)")
    from pyxform.errors import PyXFormError

    try:
        pyxform.convert(xlsform=io.BytesIO(data))
    except PyXFormError:
        return False
    return True


@pytest.mark.shared
@pytest.mark.parametrize("name", FILES)
def test_what_pyxform_refuses_is_refused_and_what_it_accepts_only_for_a_feature_not_supported(name):
    accepted = accepted_by_pyxform(shared_file(f"xlsform/{name}").read_bytes())
    found = read(name)
    if not accepted:
        assert found.form is None
    unsupported = tuple(f"不支持{feature}" for feature in UNSUPPORTED.values())
    assert not accepted or all(problem.message.startswith(unsupported) for problem in found.refusals), [str(p) for p in found.refusals]


HEAD = ["type", "name", "label", "relevant"]
LISTS = [["list_name", "name", "label"], ["yn", "yes", "是"], ["yn", "no", "否"]]
BROKEN = {
    "no type column": [["name", "label"], ["a", "甲"]],
    "an unknown type": [HEAD, ["tetx", "a", "甲"]],
    "no name": [HEAD, ["text", "", "甲"]],
    "a name that is none": [HEAD, ["text", "a b", "甲"]],
    "a name twice": [HEAD, ["text", "a", "甲"], ["text", "a", "乙"]],
    "a list that is not there": [HEAD, ["select_one nothing", "a", "甲"]],
    "a group that never ends": [HEAD, ["begin_group", "g", "组"], ["text", "a", "甲"]],
    "a group that never began": [HEAD, ["text", "a", "甲"], ["end_group"]],
    "a repeat closed as a group": [HEAD, ["begin_repeat", "g", "组"], ["text", "a", "甲"], ["end_group"]],
    "a reference to nothing": [HEAD, ["text", "a", "甲", "${b} = 1"]],
    "a reference that is not closed": [HEAD, ["text", "a", "甲"], ["text", "b", "乙", "${a = 1"]],
    "a calculation without one": [HEAD, ["calculate", "a", "甲"]],
    "a column twice": [[*HEAD, "label"], ["text", "a", "甲", "", "乙"]],
}  # fmt: skip
SOUND = {
    "texts": [HEAD, ["text", "a", "甲"], ["integer", "b", "乙", "${a} != ''"]],
    "choices": [HEAD, ["select_one yn", "a", "甲"], ["select_multiple yn", "b", "乙", "${a} = 'yes'"], ["note", "c", "丙", "selected(${b}, 'no')"]],
    "a group and a repeat": [HEAD, ["begin_group", "g", "组"], ["begin_repeat", "r", "行"], ["text", "a", "甲"], ["end_repeat"], ["end_group"]],
}  # fmt: skip


@pytest.mark.parametrize("survey", [*BROKEN.values(), *SOUND.values()], ids=[*BROKEN, *SOUND])
def test_small_forms_get_the_same_verdict_from_both(survey):
    data = write_workbook({"survey": survey, "choices": LISTS, "settings": [["form_id"], ["shop"]]})
    found = read_xlsform(read_workbook(data, "a.xlsx", sheet_of), "toys")
    assert (found.form is not None) == accepted_by_pyxform(data) == (survey in SOUND.values()), [str(p) for p in found.refusals]
