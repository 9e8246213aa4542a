"""Legal bases as people write them in a cell: `《中华人民共和国产品质量法》第三十三条`, several one a line."""

from __future__ import annotations

import re
from collections.abc import Sequence

from portal.domain.model import Basis

__all__ = ["parse_bases", "write_bases"]

_LAW = re.compile(r"《([^《》]+)》([^《]*)")
_MARKS = " \u3000、，,；;。\t"


def parse_bases(text: str) -> tuple[Basis, ...]:
    """The bases of a cell, in order: 《law》 article, and after `：` the words of the article. ValueError (Chinese) without 《》."""
    found: list[Basis] = []
    for line in text.splitlines():
        head, _, words = line.partition("：")
        laws = _LAW.findall(head)
        if line.strip() and not laws:
            raise ValueError(f"“{line.strip()[:30]}”里没有带书名号的法规名称。请写成《中华人民共和国产品质量法》第三十三条，一行一部。")
        for number, (law, article) in enumerate(laws, 1):
            said = words.strip() if number == len(laws) else ""
            found.append(Basis(law.strip(), re.sub(r"^\d+[.、]\s*$", "", article.strip(_MARKS)).strip(), said))
    return tuple(found)


def write_bases(bases: Sequence[Basis]) -> str:
    """The cell that `parse_bases` reads."""
    return "\n".join(f"{basis}：{basis.text}" if basis.text else str(basis) for basis in bases)
