"""The XLSForm dialect: which sheets, columns and types are read, what is left out with a remark, what is refused.

A form comes as three sheets, `survey`, `choices` and `settings`, as xlsform.org
describes them; the columns of our own are OWN.  What a sheet asks for and a form
of ours cannot do is UNSUPPORTED: it is refused, never quietly lost.
`xlsform_reading` reads, `xlsform_rules` translates expressions, `xlsform_writing`
writes; plugins/README.md describes it all to those who fill the sheets.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from portal.domain.cells import Cell

__all__ = [
    "IGNORED", "LONGEST_GUIDE", "LONGEST_LABEL", "META", "MOST_CHOICES", "MOST_IN_LIST", "MOST_OFFERED", "MOST_ROWS", "OWN", "OWN_OF_CHOICES", "SHEETS", "TYPES", "UNSUPPORTED",
    "UNSUPPORTED_COLUMNS", "UNSUPPORTED_TYPES", "VERDICT_LABELS", "WRITTEN", "heading_of", "is_chinese", "parse_type", "sheet_of",
]

SHEETS = ("survey", "choices", "settings")
MOST_ROWS = 1_000  # of survey
MOST_CHOICES = 5_000  # rows of choices
MOST_IN_LIST = 500
MOST_OFFERED = 10_000  # choices of all questions together: a list counts as often as it is used
LONGEST_LABEL = 500
LONGEST_GUIDE = 4_000

#: A select_one whose list has exactly these values and labels is 合格／不合格／不适用 (verdict).
VERDICT_LABELS: Mapping[str, str] = {"yes": "合格", "no": "不合格", "na": "不适用"}

#: type in the sheet -> type of ours. An image whose appearance says `signature` is a signature.
TYPES: Mapping[str, str] = {
    "text": "text", "string": "text", "integer": "integer", "int": "integer", "decimal": "decimal", "date": "date", "time": "time",
    "note": "note", "image": "photo", "photo": "photo", "file": "file", "geopoint": "location", "location": "location", "gps": "location",
    "calculate": "calculated", "calculated": "calculated",
}  # fmt: skip

#: type of ours -> how it is written; select_one, select_multiple and verdict name their list.
WRITTEN: Mapping[str, str] = {
    "text": "text", "integer": "integer", "decimal": "decimal", "date": "date", "time": "time", "note": "note", "photo": "image",
    "file": "file", "signature": "image", "location": "geopoint", "calculated": "calculate",
}  # fmt: skip

#: What a telephone would note by itself: left out and named.
META = frozenset(
    "start end today deviceid device_id subscriberid subscriber_id simserial sim_serial phonenumber phone_number username email audit"
    " start_geopoint get_start_time get_end_time get_today get_device_id get_subscriber_id get_sim_id get_phone_number start_time end_time"
    " uri:deviceid uri:subscriberid uri:simserial uri:phonenumber uri:username uri:email set_form_title set_form_id".split()
)

#: our column -> spellings. The first is what is written.
OWN: Mapping[str, tuple[str, ...]] = {
    "key": ("key", "重点项", "重点"),
    "public": ("public", "公开", "公示"),
    "guide": ("guide", "检查指引", "指引"),
    "basis": ("basis", "法定依据", "检查依据", "依据"),
    "most": ("most", "最多"),
    "shared": ("shared", "共用"),
}
#: the same, of the choices sheet
OWN_OF_CHOICES: Mapping[str, tuple[str, ...]] = {"own": ("own", "仅本表")}

_ALIASES: Mapping[str, str] = {
    **{spelling: name for name, spellings in (OWN | OWN_OF_CHOICES).items() for spelling in spellings},
    "caption": "label", "relevance": "relevant", "constraint_msg": "constraint_message", "constraintmsg": "constraint_message",
    "calculate": "calculation", "read_only": "readonly", "requiredmsg": "required_message", "required_msg": "required_message",
    "listname": "list_name", "value": "name", "big_image": "image", "count": "repeat_count", "title": "form_title", "id_string": "form_id",
    "command": "type", "tag": "name",
}  # fmt: skip

#: columns that change nothing of what is asked: named in a remark where they are filled
IGNORED: Mapping[str, str] = {
    "default": "不预填答案，默认值没有导入",
    "rows": "输入框的行数没有导入",
    "required_message": "必填的提示由系统给出，没有导入",
    "appearance": "外观由系统决定，没有导入（signature 除外）",
    "autoplay": "没有导入",
    "guidance_hint": "没有导入；检查指引请写在 guide 列",
}

#: what is not supported -> its name as refusals give it, after 不支持
UNSUPPORTED: Mapping[str, str] = {
    "barcode": "扫码（barcode）", "audio": "录音（audio）", "video": "录像（video）", "rank": "排序（rank）", "range": "滑块（range）",
    "datetime": "日期时间（dateTime），请分成 date 和 time 两项", "geotrace": "轨迹（geotrace）", "geoshape": "面（geoshape）",
    "acknowledge": "确认框（acknowledge），请用 select_one", "hidden": "隐藏项（hidden）", "external": "外部选项文件",
    "background": "后台采集", "entities": "实体（entities）", "or_other": "“其他”自动加项（or_other），请把“其他”写进选项，另加一个文字项",
    "nested_repeat": "重复组里再套重复组", "note_in_repeat": "重复组里的说明（note），请写成 hint", "repeat_count": "固定的重复次数（repeat_count），请用 most 写最多几行",
    "choice_filter": "级联选项（choice_filter）", "media": "图片、音频、视频说明", "readonly": "只读的填写项，请改为 note 或 calculate",
    "required_rule": "按条件必填（required 里写表达式），请用 relevant", "calculation": "在 calculate 以外的项里写计算式",
    "reference_in_text": "在文字里引用答案（${字段}）", "expression": "这样的表达式", "forward": "引用排在后面的项",
    "meta": "引用手机自动记录的信息", "outside": "在重复组以外引用组内的项", "group": "引用一个组", "nested_rules": "套在一起的显示条件这么长", "duplicate": "同名的项（放在不同的组里也不行）",
    "same_choice": "同一选项表里重复的选项值", "trigger": "触发计算（trigger）",
    "parameters": "参数（parameters）", "search": "外部选项（search() 外观）", "application": "调用外部应用", "bind": "自定义绑定（bind、body、instance）",
    "name": "这样的名称", "required_note": "说明和计算项必填",
}  # fmt: skip

UNSUPPORTED_TYPES: Mapping[str, str] = {
    "barcode": "barcode", "audio": "audio", "video": "video", "rank": "rank", "range": "range", "datetime": "datetime",
    "geotrace": "geotrace", "geoshape": "geoshape", "acknowledge": "acknowledge", "trigger": "acknowledge", "hidden": "hidden",
    "select_one_from_file": "external", "select_multiple_from_file": "external", "select_one_external": "external", "csv_external": "external",
    "xml_external": "external", "background_audio": "background", "background_geopoint": "background", "entity": "entities", "osm": "geoshape",
}  # fmt: skip

UNSUPPORTED_COLUMNS: Mapping[str, str] = {
    "choice_filter": "choice_filter", "repeat_count": "repeat_count", "image": "media", "audio": "media", "video": "media", "trigger": "trigger",
    "parameters": "parameters", "save_to": "entities", "save_incomplete": "bind", "bind": "bind", "body": "bind", "instance": "bind", "query": "external",
    "intent": "application", "buttontext": "application", "noapperrorstring": "application",
}  # fmt: skip

_LANGUAGES = ("中文", "简体", "汉语", "chinese", "mandarin", "zh")


def sheet_of(name: str) -> str:
    """survey, choices or settings where a sheet is called so (any case, blanks around it), else empty."""
    plain = unicodedata.normalize("NFKC", name).strip().lower()
    return plain if plain in SHEETS else ""


def heading_of(cell: Cell) -> tuple[str, str]:
    """(column, language) of a heading: `label::中文 (zh)` is ("label", "中文 (zh)"), `bind:relevant` ("relevant", "")."""
    text = unicodedata.normalize("NFKC", str(cell)).strip()
    parts = [part.strip() for part in re.split(r"::?", text)]
    words = [re.sub(r"[\s-]+", "_", part.lower()) for part in parts]
    if words[0] in ("bind", "control") and len(words) > 1:
        name = words[-1] if words[1] == "jr" else words[1]
        name = _ALIASES.get(name, name)
        return (name if name in _BOUND else "bind"), ""
    if words[0] == "media" and len(words) > 1:
        return _ALIASES.get(words[1], words[1]), "::".join(parts[2:])
    if words[0] == "jr" and len(words) > 1:
        words, parts = words[1:], parts[1:]
    return _ALIASES.get(words[0], words[0]), "::".join(parts[1:])


_BOUND = ("relevant", "constraint", "constraint_message", "required", "required_message", "readonly", "calculation", "repeat_count")


def is_chinese(language: str) -> bool:
    """Whether a heading's language is Chinese however it is written: 中文 (zh), Chinese, zh-CN."""
    plain = language.lower()
    return any(word in plain for word in _LANGUAGES[:-1]) or re.search(r"(?:^|[^a-z])zh(?:[^a-z]|$)", plain) is not None


def parse_type(text: str) -> tuple[str, str, bool]:
    """(type, list, whether 其他 is added): `begin group` is begin_group, `select one from L or_other` (select_one, L, True)."""
    words = " ".join(unicodedata.normalize("NFKC", text).split())
    if found := _SELECT.fullmatch(words):
        kind = "select_multiple" if found[1].lower().replace("_", " ") in ("select multiple", "select all that apply") else "select_one"
        return kind, found[2], found[3] is not None
    first = words.partition(" ")[0].lower().replace("-", "_")
    if first in UNSUPPORTED_TYPES:  # some name a file or a list behind it
        return first, "", False
    return words.lower().replace(" ", "_").replace("-", "_"), "", False


_SELECT = re.compile(
    r"(select[ _]one|select1|select[ _]multiple|select[ _]all[ _]that[ _]apply)(?: from)? (\S+)(?: (or[ _]other|or specify other))?", re.IGNORECASE
)
