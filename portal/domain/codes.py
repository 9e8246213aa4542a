"""Codes of registered entities: what kind a code is, and whether its check digits hold.

Sources: USCC, GB 32100-2015 (18 characters, weights 3^(i-1) mod 31) with the
organisation code of GB 11714 inside (positions 9-17, its own check digit);
15-digit registration numbers, GS 15-2006 (ISO 7064 MOD 11,10); 13-digit numbers
from before July 2007, which carry no check digit.

A failed check digit is a warning, never a reason to drop a row: real registers
hold codes that fail their own check and entities that live under them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from operator import mul

from portal.domain.errors import BadInput, Problem

__all__ = [
    "CodeCheck", "ID_PATTERN", "REASONS", "check_code", "clean_code", "kind_of_code", "legacy_check_digit",
    "likely_code", "make_legacy", "make_uscc", "organisation_check", "region_of", "type_of_code", "uscc_check",
]

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # 31 characters: no I, O, S, V, Z
USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)

#: What a directory code may look like at all (DRAW.md section 0): anything else cannot be drawn.
ID_PATTERN = re.compile(r"[0-9A-Za-z#_-]{1,64}")

# Byte tables, so that a register of millions is checked in C: character -> its value.
_USCC_VALUES = bytes.maketrans(ALPHABET.encode(), bytes(range(31)))
# GB 11714 counts letters A=10 .. Z=35, unlike the 31-character alphabet of the USCC.
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORGANISATION_VALUES = bytes.maketrans(_LETTERS.encode(), bytes(range(36)))
_USCC = re.compile(f"[{ALPHABET}]{{18}}")
_LEGACY = re.compile(r"[0-9]{13}(?:[0-9]{2})?")
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_INVISIBLE = dict.fromkeys([*range(0x200B, 0x2010), 0x2060, 0xFEFF])
_CLEAN = {**_FULL_WIDTH, **_INVISIBLE}

#: Why a code is not in order, one word each; the sentence is in `CodeCheck.message`.
REASONS = (
    "uscc_check", "organisation_check", "legacy_check",  # a check digit fails, the shape is right
    "length", "character",  # not the shape of any code
    "organisation_code", "old_number",  # a code of another kind
    "damaged", "text",  # no code at all
)
# Letters no USCC has (GB 32100-2015 leaves them out because they are misread), and pairs people misread.
_INSTEAD = {"I": "1", "O": "0", "Z": "2", "S": "5", "V": "U"}
_LOOK_ALIKE = {**_INSTEAD, "L": "1", "D": "0", "Q": "0", "B": "8", "8": "B", "0": "D", "1": "L"}
_SHAPE = re.compile(r"[1-9ANY][1-59][0-9]{6}")  # department, class, region
_ORGANISATION_CODE = re.compile(r"[0-9A-Z]{8}-?[0-9X]")
# 企合苏总字第000063号: numbers of foreign-invested companies and the like before GS 15-2006.
_OLD_NUMBER = re.compile(r"[\u4e00-\u9fff]{2,10}字第?[0-9]{3,8}号?")

_ENTITY_TYPES = {"91": "企业", "92": "个体工商户", "93": "农民专业合作社"}


@dataclass(frozen=True, slots=True)
class CodeCheck:
    """What is known of a code.

    `kind`: uscc | legacy15 | legacy13 | unknown; `reason`: "" or one of REASONS;
    `message` (Chinese) says what is off and what to do.
    """

    kind: str
    ok: bool
    message: str = ""
    reason: str = ""


def clean_code(raw: object) -> str:
    """The code as it is stored: half-width, upper case, without blanks; what it is made of is not judged."""
    text = raw if isinstance(raw, str) else str(raw)
    if text.isascii() and text.isalnum():
        return text.upper()
    return "".join(text.translate(_CLEAN).split()).upper()


def kind_of_code(code: str) -> str:
    """uscc | legacy15 | legacy13 | unknown, by length and alphabet alone; a site `USCC#n` has its holder's kind."""
    code = code.partition("#")[0]
    if _USCC.fullmatch(code):
        return "uscc"
    return f"legacy{len(code)}" if _LEGACY.fullmatch(code) else "unknown"


def check_code(code: str) -> CodeCheck:
    """Check an already cleaned code; `ok` False is a warning to show beside the row."""
    base = code.partition("#")[0]
    kind = kind_of_code(base)
    if kind == "legacy13" or (kind == "legacy15" and legacy_check_digit(base[:14]) == base[14]):
        return CodeCheck(kind, True)
    if kind == "legacy15":
        return CodeCheck(kind, False, f"注册号 {base} 的第 15 位校验码不符，请与营业执照核对。", "legacy_check")
    if kind == "uscc":
        last, inner = uscc_check(base[:17]) == base[17], organisation_check(base[8:16]) == base[16]
        if last and inner:
            return CodeCheck(kind, True)
        if not inner:
            which = "中主体标识码（第 9 至 17 位）的校验码不符" if last else "的第 18 位校验码和主体标识码（第 9 至 17 位）的校验码都不符"
        else:
            which = "的第 18 位校验码不符"
        message = f"统一社会信用代码 {base} {which}，请与营业执照核对。{_hint(base)}"
        return CodeCheck(kind, False, message, "uscc_check" if inner else "organisation_check")
    return _not_a_code(base)


def likely_code(code: str) -> str:
    """The one USCC with both check digits right that `code` may be a slip of, or "".

    Tried: one misread character (I for 1, O for 0, B for 8 ...), or all letters that no USCC
    has, and two neighbours swapped. Two answers are no answer, and where the inner check holds the
    last one alone would be met by chance too often. A hint for a person, never applied.
    """
    if len(code) != 18 or not code.isascii() or (kind_of_code(code) == "uscc" and organisation_check(code[8:16]) == code[16]):
        return ""
    tries = {"".join(_INSTEAD.get(c, c) for c in code)}
    tries |= {code[:n] + _LOOK_ALIKE[c] + code[n + 1 :] for n, c in enumerate(code) if c in _LOOK_ALIKE}
    tries |= {code[:n] + code[n + 1] + code[n] + code[n + 2 :] for n in range(17)}
    fits = [one for one in tries - {code} if _SHAPE.match(one) and kind_of_code(one) == "uscc" and _holds(one)]
    return fits[0] if len(fits) == 1 else ""


def region_of(code: str) -> str:
    """The 6-digit region of the registration authority (GB/T 2260), or "" where the code holds none."""
    kind = kind_of_code(code)
    if kind == "uscc":
        return code[2:8]
    return code[:6] if kind.startswith("legacy") else ""


def type_of_code(code: str) -> str:
    """The entity type a code speaks of (企业, 个体工商户, 农民专业合作社), or "" where it says nothing."""
    kind = kind_of_code(code)
    if kind == "uscc":
        return _ENTITY_TYPES.get(code[:2], "")
    if kind == "legacy15":  # GS 15-2006: sequence numbers from 6 up are individual businesses
        return "个体工商户" if code[6] >= "6" else "企业"
    return ""


def uscc_check(first17: str) -> str:
    """The 18th character for the first 17 (GB 32100-2015); they must be of the alphabet."""
    total = sum(map(mul, first17.encode().translate(_USCC_VALUES), USCC_WEIGHTS))
    return ALPHABET[-total % 31]


def organisation_check(first8: str) -> str:
    """The 9th character of an organisation code for its first 8 (GB 11714): 0-9 or X."""
    total = sum(map(mul, first8.encode().translate(_ORGANISATION_VALUES), ORGANISATION_WEIGHTS))
    return "0123456789X"[-total % 11]


def legacy_check_digit(first14: str) -> str:
    """The last digit of a 15-digit registration number (ISO 7064 MOD 11,10)."""
    product = 10
    for digit in first14:
        total = (product + int(digit)) % 10 or 10
        product = total * 2 % 11
    return str((11 - product) % 10)


def make_uscc(department: str, kind: str, region: str, organisation8: str) -> str:
    """A USCC from its parts with both check digits: `make_uscc("9", "1", "359921", "MA000001")`."""
    body = department + kind + region + organisation8
    if len(body) != 16 or not set(body) <= set(ALPHABET):
        raise BadInput(
            "不能据此生成统一社会信用代码。",
            [Problem("代码", f"“{body}”应为 16 位，由数字和大写字母（不含 I、O、S、V、Z）组成。")],
        )
    first17 = body + organisation_check(organisation8)
    return first17 + uscc_check(first17)


def make_legacy(region: str, sequence: int) -> str:
    """A 15-digit registration number: 6-digit region, 8-digit sequence (0 .. 99999999), check digit."""
    first14 = f"{region}{sequence:08d}"
    if len(first14) != 14 or not (first14.isascii() and first14.isdigit()):
        raise BadInput("不能据此生成注册号。", [Problem("注册号", f"“{first14}”应为 14 位数字。")])
    return first14 + legacy_check_digit(first14)


def _holds(code: str) -> bool:
    return uscc_check(code[:17]) == code[17] and organisation_check(code[8:16]) == code[16]


def _hint(code: str) -> str:
    likely = likely_code(code)
    if not likely:
        return ""
    places = [n for n in range(18) if code[n] != likely[n]]
    wrong = "、".join(f"第 {n + 1} 位“{code[n]}”改为“{likely[n]}”" for n in places)
    return f"{wrong}则校验相符，是否录错？"


def _not_a_code(code: str) -> CodeCheck:
    """Why something is neither a USCC nor a registration number, in the order a person would look."""
    length, shown = len(code), code if len(code) <= 40 else code[:40] + "…"
    if "\ufffd" in code:
        message = f"“{shown}”是乱码，看不出代码。文件的文字编码不对或各列错位，请从原系统重新导出。"
        return CodeCheck("unknown", False, message, "damaged")
    if _OLD_NUMBER.fullmatch(code):
        message = f"“{shown}”是 2007 年以前的旧式注册号，不能作为代码。请填写换发后的统一社会信用代码或 15 位注册号。"
        return CodeCheck("unknown", False, message, "old_number")
    if any(c.isalpha() and not c.isascii() for c in code):
        message = f"“{shown}”是文字，不是统一社会信用代码或注册号。请填写代码；如果各列错位，请先对齐。"
        return CodeCheck("unknown", False, message, "text")
    plain = code.replace("-", "")
    if _ORGANISATION_CODE.fullmatch(code) and organisation_check(plain[:8]) == plain[8]:
        message = f"“{shown}”是组织机构代码（9 位），即统一社会信用代码的第 9 至 17 位。请填写 18 位的统一社会信用代码。"
        return CodeCheck("unknown", False, message, "organisation_code")
    if length == 18:
        return CodeCheck("unknown", False, f"代码 {code} {_wrong_characters(code, ALPHABET)}{_hint(code)}", "character")
    if length in (13, 15):
        message = f"代码 {code} 是 {length} 位，但注册号只能由数字组成：{_wrong_characters(code, '0123456789')}"
        return CodeCheck("unknown", False, message, "character")
    off = f"少 {18 - length} 位" if length < 18 else f"多 {length - 18} 位"
    message = f"代码“{shown}”有 {length} 位：统一社会信用代码应为 18 位（{off}），旧注册号为 15 位或 13 位。请与营业执照核对。"
    return CodeCheck("unknown", False, message, "length")


def _wrong_characters(code: str, alphabet: str) -> str:
    """Which characters at which places cannot be, and what each may stand for."""
    found = []
    for n, c in enumerate(code):
        if c not in alphabet:
            instead = _LOOK_ALIKE.get(c, "")
            found.append(f"第 {n + 1} 位“{c}”" + (f"（可能是“{instead}”）" if instead and instead in alphabet else ""))
    more = f"等 {len(found)} 处" if len(found) > 5 else ""
    name = "统一社会信用代码" if alphabet == ALPHABET else "注册号"
    return f"{'、'.join(found[:5])}{more}不是{name}使用的字符，请与营业执照核对。"
