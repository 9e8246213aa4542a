"""Somebody at a desk in front of the portal in a headless Chromium: presses what is written on buttons, types beside labels.

Everything goes by what can be read on the page, and by the mouse: a button that is covered, or has other words, is not found.
Nothing here needs the page's scripts.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyotp

from tests.public_site.browser import Page

#: put before what is asked, as scripts of the page may be off
_EYES = """((globalThis.eyes ??= {
  said(one) { return one.innerText.replace(/\\s+/g, " ").trim(); },
  seen(one) { return one.getClientRects().length > 0 && getComputedStyle(one).visibility !== "hidden"; },
  inside(words) {
    if (!words) return document;
    const all = [...document.querySelectorAll("tr, form, section, li, fieldset, [role=group]")].filter((one) => eyes.seen(one) && eyes.said(one).includes(words));
    if (!all.length) throw new Error(`nothing says ${words}`);
    return all.at(-1);
  },
  button(words, where) {
    const all = [...eyes.inside(where).querySelectorAll("button, a[href], summary")].filter((one) => eyes.seen(one) && !one.disabled);
    const found = all.filter((one) => eyes.said(one) === words || one.getAttribute("aria-label") === words);
    const one = found[0] ?? all.find((each) => eyes.said(each).replace(/^\\d+ /, "").startsWith(words));
    if (!one) throw new Error(`no button: ${words}; there are ${all.map(eyes.said).join(" | ")}`);
    return one;
  },
  field(words, where) {
    const root = eyes.inside(where);
    const named = [...root.querySelectorAll("label, legend")].find((one) => (eyes.said(one) || one.textContent.trim()) === words);
    const one = named?.control ?? [...root.querySelectorAll("input, select, textarea")].find((each) => each.getAttribute("aria-label") === words);
    if (!one) throw new Error(`no field: ${words}; there are ${[...root.querySelectorAll("label")].map((each) => each.textContent.trim()).join(" | ")}`);
    return one;
  },
  place(one) {
    one.scrollIntoView({ block: "center", behavior: "instant" });
    const box = one.getClientRects()[0], x = box.left + box.width / 2, y = box.top + box.height / 2, top = document.elementFromPoint(x, y);
    if (!top || !(one.contains(top) || top.contains(one))) throw new Error(`covered by ${top?.outerHTML.slice(0, 80)}: ${one.outerHTML.slice(0, 80)}`);
    return [x, y];
  },
}), %s)"""


@dataclass
class Desk:
    """`page` is the tab; `address` of the portal; `clock` tells the time that codes of a second factor are made for. `secrets`: login -> its TOTP secret."""

    page: Page
    address: str
    clock: Callable[[], datetime]
    secrets: dict[str, str]

    # Looking --------------------------------------------------------------------

    def eyes(self, script: str) -> Any:
        return self.page.value(_EYES % script)

    @property
    def path(self) -> str:
        return self.page.value("location.pathname")

    def text(self, selector: str = "main") -> str:
        """What can be read there, white space as one space."""
        return self.page.value(f"(document.querySelector({json.dumps(selector)})?.innerText ?? '').replace(/\\s+/g, ' ')")

    def told(self) -> list[str]:
        """What the page says is wrong."""
        return self.page.value("[...document.querySelectorAll('.wrong, .note.bad')].map((one) => one.innerText.replace(/\\s+/g, ' '))")

    def filled(self, label: str, where: str = "") -> str:
        """What stands in a field."""
        return self.eyes(f"eyes.field({json.dumps(label)}, {json.dumps(where)}).value")

    # Doing ----------------------------------------------------------------------

    def open(self, path: str) -> None:
        self.page.open(self.address + path)

    def press(self, words: str, where: str = "", *, times: int = 1, leads: bool = True) -> None:
        """Press the button or link with these words, in the smallest part of the page that says `where`."""
        at = self.eyes(f"eyes.place(eyes.button({json.dumps(words)}, {json.dumps(where)}))")
        if leads:
            self.page.leads(lambda: self.page.click(*at, times=times), words)
        else:
            self.page.click(*at, times=times)

    def unfold(self, words: str) -> None:
        self.press(words, leads=False)

    def type(self, label: str, text: str, where: str = "") -> None:
        """Type into the field of this label, over what stood there."""
        field = f"eyes.field({json.dumps(label)}, {json.dumps(where)})"
        self.page.click(*self.eyes(f"eyes.place({field})"))
        self.eyes(f"{field}.select()")
        self.page.type(text)

    def set(self, label: str, value: str, where: str = "") -> None:
        """A date or a time, which is turned and not typed; or a choice of a list, by its words."""
        field = f"eyes.field({json.dumps(label)}, {json.dumps(where)})"
        self.eyes(f"""((one) => {{
          const value = {json.dumps(value)};
          one.value = one.tagName === "SELECT" ? ([...one.options].find((each) => each.text.trim() === value) ?? {{}}).value : value;
          if (!one.value) throw new Error(`not to be had: ${{value}}`);
          one.dispatchEvent(new Event("change", {{ bubbles: true }}));
        }})({field})""")

    def tick(self, label: str, where: str = "") -> None:
        self.page.click(*self.eyes(f"eyes.place(eyes.field({json.dumps(label)}, {json.dumps(where)}).closest('label') ?? eyes.field({json.dumps(label)}, {json.dumps(where)}))"))

    def attach(self, label: str, path: str) -> None:
        self.page.choose_file(_EYES % f"eyes.field({json.dumps(label)}, '')", path)

    # Logging in -----------------------------------------------------------------

    def login(self, login: str, password: str, new: str = "") -> None:
        """Through the pages, as far as the first of one's own: a one-time password is changed to `new`, a second factor set up or given."""
        if self.path != "/login":
            self.open("/login")
        self.type("登录名", login)
        self.type("密码", password)
        self.press("登录", times=2)
        if self.path == "/login/code":
            self.type("手机上现在的六位数，或者一个恢复码", self.code(login))
            self.press("登录")
        if self.path == "/password":
            self.type("现在的密码", password)
            self.type("新密码", new)
            self.type("再输一次新密码", new)
            self.press("修改密码")
        if self.path == "/second-factor":
            self.secrets[login] = self.text("span.code.wrap").replace(" ", "")
            self.type("手机上现在的六位数", self.code(login))
            self.press("启用", "手机上现在的六位数")
            self.press("已经记下，继续")
        assert self.path not in ("/login", "/login/code", "/password", "/second-factor"), self.text()

    def code(self, login: str) -> str:
        return pyotp.TOTP(self.secrets[login]).at(self.clock())
