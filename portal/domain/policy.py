"""A bureau's policy for getting in: which password rule holds, and whether a second factor is asked for.

`asvs` is OWASP ASVS 5.0 (6.2): length and a list of what attackers try, no kinds of characters,
no change by the calendar.  `dengbao3` is what assessors of 等级保护三级 (GB/T 22239-2019, 8.1.4.1)
ask for on top: kinds of characters, a change every 90 days, a lock after five wrong ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from portal.domain.errors import Problem

MOST = 128  # characters


@dataclass(frozen=True, slots=True)
class PasswordRule:
    """`kinds` of four (small, capital, digit, other); `days` until it must change, 0: never; `wrong` ones lock for `minutes`."""

    code: str
    name: str
    least: int
    kinds: int
    days: int
    wrong: int
    minutes: int


PASSWORD_RULES = {
    one.code: one
    for one in (
        PasswordRule("asvs", "长度优先（默认）", least=12, kinds=1, days=0, wrong=10, minutes=15),
        PasswordRule("dengbao3", "等保三级", least=12, kinds=3, days=90, wrong=5, minutes=30),
    )
}


@dataclass(frozen=True, slots=True)
class Policy:
    """`factor`: those in roles.GUARDED must have a second factor."""

    rule: PasswordRule
    factor: bool


#: What attackers try first, as roots: a password made of these and digits alone is as good as guessed.
_ROOTS = sorted(
    """password passw0rd passwd pass word letmein welcome qwertyuiop qwerty asdfghjkl asdf zxcvbnm zxcv qazwsx qazwsxedc wsx edc
    administrator admin root user test guest login master super secret default changeme iloveyou love monkey dragon sunshine
    princess football baseball shadow michael abc abcd abcdef abcdefgh woaini woaiwojia wodemima mima nihao beijing shanghai zhongguo
    china fujian jinjiang shichang jianguan jianguanju juzhang suozhang gongshang scjg scjgj amr mingcha portal office system server
    computer internet spring summer autumn winter""".split(),
    key=len, reverse=True,
)  # fmt: skip
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "01234567890", "abcdefghijklmnopqrstuvwxyz", "1qaz2wsx3edc4rfv5tgb", "!@#$%^&*()")
_LEET = str.maketrans("@$013457!", "asoieastl"[:9])


def check_password_rule(password: str, names: Iterable[str], rule: PasswordRule = PASSWORD_RULES["asvs"]) -> list[Problem]:
    """What is wrong with a new password, for the person who chose it. `names`: the login, the person's and the bureau's name."""
    said = password.lower()
    if len(password) < rule.least:
        return [Problem("new", f"新密码有 {len(password)} 位，至少要 {rule.least} 位。可以用几个不相干的词连成一句。")]
    if len(password) > MOST:
        return [Problem("new", f"新密码有 {len(password)} 位，最多 {MOST} 位。")]
    login, *others = list(names) or [""]
    if len(login) >= 3 and login.lower() in said:
        return [Problem("new", "新密码里不能含有登录名。")]
    if any(len(name) >= 2 and name.lower() in said for name in others):
        return [Problem("new", "新密码里不能含有您的姓名或单位名称。")]
    if len(set(said)) < 5 or _common(said):
        return [Problem("new", "这个密码太常见或重复太多，请换一个。")]
    kinds = sum(bool(re.search(kind, password)) for kind in ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]"))
    if kinds < rule.kinds:
        return [Problem("new", f"本单位执行{rule.name}密码规则：小写字母、大写字母、数字、其他符号四类中至少要有 {rule.kinds} 类。")]
    return []


def _common(said: str) -> bool:
    """True when hardly anything is left once roots, runs along the keyboard, repeats and digits are taken out."""
    best = len(said)
    for text in (said, said.translate(_LEET)):
        for root in _ROOTS:
            text = text.replace(root, " ")
        for row in _ROWS:
            for length in range(len(row), 3, -1):
                for start in range(len(row) - length + 1):
                    text = text.replace(row[start : start + length], " ").replace(row[start : start + length][::-1], " ")
        text = re.sub(r"(.{1,6}?)\1{2,}", " ", text)
        best = min(best, len(re.sub(r"[\W\d_]+", "", text)))
    return best < 5 and not _random(said)


def _random(said: str) -> bool:
    """Digits and signs in disorder are a password too: most neighbours differ by more than a step."""
    marks = [ord(one) for one in said if not one.isalpha()]
    steps = [abs(one - other) for one, other in zip(marks, marks[1:], strict=False)]
    return len(set(marks)) >= 8 and len(set(steps)) >= 5
