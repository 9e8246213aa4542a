"""The company names of a real register that GB/T 2312 cannot encode: printed whole, in every role, never a box."""

import csv
import gzip
import html
import re

import pytest

from portal.prints.fonts import ROLES
from portal.prints.render import TEMPLATES, Printer

from ..shared import shared_file
from .pdf_reading import fonts_in, missing_glyphs, text_of

pytestmark = pytest.mark.shared
CONTEXT = {"about": {"as_of": "2026-07-20"}}


@pytest.fixture(scope="module")
def names() -> list[str]:
    with gzip.open(shared_file("enterprises/fujian_1978_2004.csv.gz"), "rt", encoding="utf-8") as lines:
        every = [row["name"] for row in csv.DictReader(lines)]
    return [name for name in every if not encodable(name)]


def encodable(text: str) -> bool:
    try:
        text.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


@pytest.fixture(scope="module")
def rare_printer(fonts_folder, tmp_path_factory, names):
    """A printer whose one template prints all names in the role asked for."""
    folder = tmp_path_factory.mktemp("templates")
    (folder / "doc.css").write_bytes((TEMPLATES / "doc.css").read_bytes())
    lines = "".join(f"<div class=line>{html.escape(name)}</div>" for name in names)
    for role in ROLES:
        weight = 700 if role == "MC-XBS" else 400
        (folder / f"{role[3:].lower()}.html").write_text(
            f'<html lang="zh-CN"><title>{role}</title><body data-proof="" data-demo="" '
            f'style="font: {weight} 12pt/18pt var(--{role.lower()})">{lines}', "utf-8")
    with Printer(fonts_folder, workers=1, templates=folder) as printer:
        yield printer


def test_there_are_192_such_names(names):
    assert len(names) == 192


@pytest.mark.parametrize("role", sorted(ROLES))
def test_every_name_is_printed_whole_and_can_be_copied_out(rare_printer, names, role):
    pdf = rare_printer.render(role, f"{role[3:].lower()}.html", CONTEXT)
    assert not missing_glyphs(pdf)
    printed = re.sub(r"—\d+—|共\d+页", "", text_of(pdf))
    assert printed == "".join("".join(name.split()) for name in names)
    wanted = {"MC-HT": "MC-Sans-Rare", "MC-XBS": "MC-Serif-Rare-Bold"}.get(role, "MC-Serif-Rare")
    assert wanted in fonts_in(pdf)
