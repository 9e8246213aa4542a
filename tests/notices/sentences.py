"""What the two notices ask of the system, sentence by sentence: each is a test here, or is listed as not yet met."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

FUJIAN, JINJIANG = "fujian_2022_51.txt", "jinjiang_2024_62.txt"
ASKED: list[tuple[str, str]] = []

#: (notice, sentence, what is missing). A sentence moves to a test when it is met.
NOT_YET: list[tuple[str, str, str]] = [
    (FUJIAN, "并将本年度抽查工作情况，报送省局信用监管处", "the yearly report and its receipt"),
    (FUJIAN, "形成评估报告", "effect evaluation report"),
    (FUJIAN, "要及时将抽查检查信息归集至协同监管平台", "export to the provincial platform with receipts"),
    (FUJIAN, "典型案例至少1例", "typical cases"),
    (FUJIAN, "并与“互联网+监管”全面对接", "interfaces of other platforms"),
    (FUJIAN, "开展对房屋安全、职业病防治、禁毒工作、信用承诺和涉及安全、质量、公共利益等领域的双随机抽查", "sectors of other departments"),
    (JINJIANG, "检查结果的录入均统一在福建省“双随机、一公开”联合监管工作平台", "export to the provincial platform with receipts"),
    (JINJIANG, "要继续落实“优化企业信用修复十条措施”要求", "guidance at the time of listing"),
    (JINJIANG, "抽查检查工作指引", "guidance is shown with each point on the phone page, in another issue"),
]

Test = TypeVar("Test", bound=Callable[..., object])


def asks(notice: str, *sentences: str) -> Callable[[Test], Test]:
    """Marks the test of these sentences, word for word as they stand in the notice."""

    def mark(test: Test) -> Test:
        ASKED.extend((notice, sentence) for sentence in sentences)
        return test

    return mark
