"""Somebody with a phone in front of the portal in a headless Chromium: taps what can be tapped, types, takes pictures, signs.

Whatever is tapped must lie in the open where it is: covered by nothing, and wide enough for a thumb.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import uvicorn
from litestar import Litestar

from portal.domain.model import Field, Form
from tests.public_site.browser import Page

WIDTH = 390
ON_PAPER = "P-"  # how the number of an original on paper begins
SMALLEST = 24  # pixels a side (WCAG 2.2, 2.5.8)

_HANDS = """globalThis.hands = {
  open(element) { return element.closest("[hidden]") === null; },
  tap(element, what) {
    if (!element) throw new Error(`nothing to tap: ${what}`);
    element.scrollIntoView({ block: "center", behavior: "instant" });
    const box = element.getBoundingClientRect(), at = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    if (!at || !(element.contains(at) || at.contains(element))) throw new Error(`covered: ${what} by ${at?.outerHTML.slice(0, 80)}`);
    if (box.height < %d || box.width < %d) throw new Error(`small: ${what} ${box.width} x ${box.height}`);
    element.click();
    return true;
  },
  named(name) { return [...document.getElementsByName(name)]; },
  tick(name, value) {
    const one = hands.named(name).find((each) => each.value === value && ["radio", "checkbox"].includes(each.type));
    hands.tap(one?.closest("label"), `${name} ${value}`);
    if (!one.checked) throw new Error(`not ticked: ${name} ${value}`);
  },
  choose(name, value) {
    const one = hands.named(name).find((each) => each.tagName === "SELECT");
    one.scrollIntoView({ block: "center", behavior: "instant" });
    one.value = value;
    if (one.value !== value) throw new Error(`no such choice: ${name} ${value}`);
    for (const kind of ["input", "change"]) one.dispatchEvent(new Event(kind, { bubbles: true }));
  },
  focus(name) {
    const one = hands.named(name)[0];
    hands.tap(one, name);
    one.focus();
    if (document.activeElement !== one) throw new Error(`cannot be typed into: ${name}`);
  },
  unfolded(name) { const folded = hands.named(name).at(-1).closest("details"); if (!folded.open) hands.tap(folded.querySelector("summary"), name); },
  leave() { document.activeElement.blur(); },
  next(done) {
    const found = [...document.querySelectorAll(".point[id^=f-]")].find((one) => hands.open(one)
      && one.querySelector("input:not([name^=_]),select:not([name^=_]),textarea:not([name^=_])") && !done.includes(one.id.slice(2)));
    return found ? found.id.slice(2) : "";
  },
  row(name, number) {
    const row = document.querySelector(`#f-${name} [data-row="${number}"]`);
    if (!row) throw new Error(`no row ${number} in ${name}`);
    if (!row.open) hands.tap(row.querySelector("summary"), `row ${number} of ${name}`);
  },
  async take(name, kind) {
    const input = hands.named(`_file.${name}`)[0];
    if (!input) throw new Error(`nothing takes a ${kind}: ${name}`);
    const canvas = new OffscreenCanvas(64, 48), pen = canvas.getContext("2d");
    pen.fillStyle = `hsl(${name.length * 37 %% 360} 60%% 60%%)`;
    pen.fillRect(0, 0, 64, 48);
    const moved = new DataTransfer();
    moved.items.add(new File([await canvas.convertToBlob({ type: "image/jpeg" })], `${kind}.jpg`, { type: "image/jpeg" }));
    input.files = moved.files;
    globalThis.before = true;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  },
  pad(name) {
    const pad = document.querySelector(`[data-pad="${name}"] canvas`);
    pad.scrollIntoView({ block: "center", behavior: "instant" });
    const box = pad.getBoundingClientRect();
    return [box.left, box.top, box.width, box.height];
  },
  signed(name) { globalThis.before = true; return hands.tap(document.querySelector(`[data-pad="${name}"] [data-done]`), `signed ${name}`); },
  unfold() { for (const one of document.querySelectorAll("details.guide")) if (hands.open(one)) one.open = true; },
}; 0""" % (SMALLEST, SMALLEST)


class Phone:
    """`page` is its one tab; `address` of the portal."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.taken: set[tuple[str, str]] = set()  # kinds of photos and files that went up
        page.run_first(_HANDS)

    def open(self, path: str) -> None:
        self.page.open(self.address + path)

    def hands(self, name: str, *given: Any) -> Any:
        return self.page.value(f"hands.{name}({', '.join(json.dumps(one) for one in given)})")

    def login(self, login: str, password: str) -> None:
        self.open("/login")
        for name, text in (("login", login), ("password", password)):
            self.type(name, text)
        self.follow("hands.tap(document.querySelector('button.go'), 'login')")
        assert "/login" not in self.page.value("location.pathname"), self.told()

    def type(self, name: str, text: str) -> None:
        self.hands("focus", name)
        self.page.type(text)
        self.hands("leave")

    def follow(self, script: str) -> None:
        """Do what leads to another page and wait until that is there."""
        self.page.value(f"globalThis.before = true; {script}")
        self.page.until("!globalThis.before && document.readyState === 'complete' && globalThis.hands")

    def told(self) -> list[str]:
        """What the page says is wrong."""
        return self.page.value("[...document.querySelectorAll('.wrong, .note.bad')].map((one) => one.textContent.trim())")

    def beyond(self) -> int:
        """How many pixels of the page, its guides unfolded, are beside the window (its scroll bar is no part of that)."""
        self.hands("unfold")
        return self.page.value("document.documentElement.scrollWidth - document.documentElement.clientWidth")

    # A form ---------------------------------------------------------------------

    def fill(self, form: Form, answers: Mapping[str, Any]) -> list[str]:
        """Answer each point that is asked, from above, until none is left; their names in that order."""
        fields = {field.name: field for field in form.fields()}
        done: list[str] = []
        while name := self.hands("next", done):
            assert name in answers, f"{form.code}: {name} is asked"
            self.answer(fields[name], name, answers[name])
            done.append(name)
        return done

    def answer(self, field: Field, base: str, answer: Any) -> None:
        if field.type == "repeat":
            for number, row in enumerate(answer):
                self.hands("row", base, number)
                for child in field.fields:
                    if child.name in row:
                        self.answer(child, f"{base}.{number}.{child.name}", row[child.name])
        elif field.type == "verdict" or (field.type == "select_one" and len(field.choices) <= 3):
            self.hands("tick", base, answer)
        elif field.type == "select_multiple":
            for one in answer:
                self.hands("tick", base, one)
        elif field.type == "select_one":
            self.hands("choose", base, answer)
        elif field.type == "signature":
            left, top, width, height = self.hands("pad", base)
            self.page.drag(*((left + width * x, top + height * y) for x, y in ((0.2, 0.5), (0.4, 0.2), (0.5, 0.8), (0.8, 0.4))))
            self.follow(f"hands.signed({json.dumps(base)})")
        elif field.type in ("photo", "file") and not field.required and (field.name, field.type) in self.taken:
            self.hands("unfolded", base)  # each upload is a page anew: once is enough, the others are on paper
            self.type(base, f"{ON_PAPER}{len(self.taken)}")
        elif field.type in ("photo", "file"):
            self.taken.add((field.name, field.type))
            self.follow(f"hands.take({json.dumps(base)}, {json.dumps(field.type)})")
        elif field.type in ("date", "time"):  # a wheel to turn, no keys
            self.page.value(f"{{ const one = hands.named({json.dumps(base)})[0]; one.value = {json.dumps(answer)}; "
                            "one.dispatchEvent(new Event('change', { bubbles: true })); }")  # fmt: skip
        else:
            self.type(base, str(answer))


@contextmanager
def served(app: Litestar) -> Iterator[str]:
    """The application on a port of this machine, in a thread of its own; its address."""
    door = socket.socket()
    door.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, timeout_graceful_shutdown=2))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[door])), daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the portal did not start"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        door.close()
