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
    "CodeCheck", "ID_PATTERN", "check_code", "clean_code", "kind_of_code", "legacy_check_digit",
    "make_legacy", "make_uscc", "organisation_check", "region_of", "type_of_code", "uscc_check",
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

_ENTITY_TYPES = {"91": "企业", "92": "个体工商户", "93": "农民专业合作社"}


@dataclass(frozen=True, slots=True)
class CodeCheck:
    """What is known of a code. `kind`: uscc | legacy15 | legacy13 | unknown; `message` (Chinese) says what is off."""

    kind: str
    ok: bool
    message: str = ""


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
    if kind == "uscc":
        if uscc_check(base[:17]) != base[17]:
            return CodeCheck(kind, False, f"统一社会信用代码 {base} 的第 18 位校验码不符，请与营业执照核对。")
        if organisation_check(base[8:16]) != base[16]:
            return CodeCheck(kind, False, f"统一社会信用代码 {base} 中主体标识码（第 9 至 17 位）的校验码不符，请与营业执照核对。")
        return CodeCheck(kind, True)
    if kind == "legacy15":
        if legacy_check_digit(base[:14]) != base[14]:
            return CodeCheck(kind, False, f"注册号 {base} 的第 15 位校验码不符，请与营业执照核对。")
        return CodeCheck(kind, True)
    if kind == "legacy13":
        return CodeCheck(kind, True)
    return CodeCheck(kind, False, _why_unknown(base))


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


def _why_unknown(code: str) -> str:
    length = len(code)
    if length == 18:
        wrong = "、".join(dict.fromkeys(c for c in code if c not in ALPHABET))
        return f"代码 {code} 含有统一社会信用代码不使用的字符：{wrong}。"
    if length in (13, 15):
        return f"代码 {code} 是 {length} 位，但注册号只能由数字组成。"
    if 9 <= length <= 20:
        return f"代码 {code} 是 {length} 位；统一社会信用代码为 18 位，旧注册号为 15 位或 13 位。"
    return f"代码 {code} 不是统一社会信用代码或注册号。"
