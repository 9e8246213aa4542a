"""Spreadsheets that others made: each becomes a form, or is refused by sheet, row and column for what is not supported."""

import pytest

from portal.domain.declarations import check_form
from portal.domain.xlsform import UNSUPPORTED, sheet_of
from portal.domain.xlsform_reading import read_xlsform
from portal.sheets.workbook import read_workbook, read_workbook_limited
from portal.sheets.write import write_workbook
from tests.shared import shared_file

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
