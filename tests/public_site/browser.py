"""A headless Chromium for tests, driven over a pipe by its own protocol: nothing but the browser is needed.

    with Browser() as browser:
        page = browser.page(width=390)
        page.open("http://127.0.0.1:8080/")
        page.until("document.querySelector('#found').textContent !== ''")
        assert page.complaints == []
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

#: The shell is the same engine without the windows, menus and services around it, and takes two thirds of the processor time. It keeps no page
#: as it was left, to show it again when somebody goes back: who tests that wants the whole browser.
SHELL, WHOLE = ("chromium-headless-shell",), ("chromium", "chromium-browser", "google-chrome")
#: Even without a screen Chromium opens a window with its address bar, whose list of suggestions is two web pages of its own: two thirds of a
#: start's processor time, beside the first seconds of a test. The names are of Chromium 156; others take no notice of those they do not know.
UNSEEN = ["--no-startup-window", "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,Translate,OptimizationHints"]
#: Every page a new document that is looked at for a moment: compiling its scripts better and better, beside it, takes more time than it saves.
BRIEFLY = ["--js-flags=--no-opt,--no-maglev,--min-semi-space-size=64"]
#: Frames are drawn only where one is asked for: style and layout are worked out whenever a script asks for them, and drawing was a quarter of a test of pages.
UNDRAWN = ["--enable-begin-frame-control", "--run-all-compositor-stages-before-draw"]
SECONDS = 60  # for any one answer: a shared machine can be slow


def program(*, whole: bool = False) -> str | None:
    """The Chromium of this machine."""
    return next((found for name in (WHOLE if whole else SHELL + WHOLE) if (found := shutil.which(name))), None)


class Browser:
    """A running Chromium with a profile of its own that is gone afterwards.

    `whole`: not the shell; `briefly`: for many pages, none of which computes for long; `unseen`: nothing is drawn, where this
    Chromium can do so (no screenshots then, nothing moves, and what a script does before the next frame waits for ever).
    """

    def __init__(self, *, whole: bool = False, briefly: bool = False, unseen: bool = False) -> None:
        self._program = program(whole=whole) or WHOLE[0]
        self.unseen = unseen and os.path.basename(self._program) in SHELL
        self._more = (BRIEFLY if briefly else []) + (UNDRAWN if self.unseen else [])

    def __enter__(self) -> Browser:
        self._profile = tempfile.mkdtemp(prefix="mingcha-browser-")
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--no-first-run",
                 *UNSEEN, *self._more, f"--user-data-dir={self._profile}", "--remote-debugging-pipe", "about:blank"]  # fmt: skip
        # The browser reads commands from descriptor 3 and answers on 4; numbers above those stay out of the way.
        high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (theirs_in, theirs_out)]
        quiet = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]
        pipes = [(os.POSIX_SPAWN_DUP2, high[0], 3), (os.POSIX_SPAWN_DUP2, high[1], 4)]
        self._process = os.posix_spawn(self._program, [self._program, *flags], os.environ, file_actions=quiet + pipes)
        for end in (theirs_in, theirs_out, *high):
            os.close(end)
        self._in, self._out = os.fdopen(ours_in, "rb", buffering=0), os.fdopen(ours_out, "wb", buffering=0)
        self._rest, self._last, self._listeners, self._answers = b"", 0, {}, {}
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(RuntimeError, OSError):
            self.ask("Browser.close")
        self._in.close()
        self._out.close()  # at the end of its pipe the browser goes too
        os.waitpid(self._process, 0)
        shutil.rmtree(self._profile, ignore_errors=True)

    def page(self, width: int = 1280, *, dark: bool = False, beside: Page | None = None) -> Page:
        """A new page in a new context, nothing remembered from others; or a second tab, with the cookies of the page it is `beside`."""
        context = beside.context if beside else self.ask("Target.createBrowserContext")["browserContextId"]
        target = self.ask("Target.createTarget", {"url": "about:blank", "browserContextId": context, "enableBeginFrameControl": self.unseen})["targetId"]
        session = self.ask("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        return Page(self, session, context, width, dark)

    def listen(self, session: str, hear: Callable[[str, dict[str, Any]], None]) -> None:
        self._listeners[session] = hear

    def ask(self, method: str, params: dict[str, Any] | None = None, session: str = "") -> dict[str, Any]:
        """Send a command, hear events until its answer comes. RuntimeError for an error, TimeoutError for silence."""
        return self._answer(self._send(method, params, session), method)

    def ask_in_frame(self, method: str, params: dict[str, Any], session: str) -> dict[str, Any]:
        """A command that the page carries out in its next frame."""
        sent = self._send(method, params, session)
        if self.unseen:
            self.ask("HeadlessExperimental.beginFrame", {"noDisplayUpdates": True}, session)
        return self._answer(sent, method)

    def _send(self, method: str, params: dict[str, Any] | None, session: str) -> int:
        self._last += 1
        message = {"id": self._last, "method": method, "params": params or {}} | ({"sessionId": session} if session else {})
        self._out.write(json.dumps(message).encode() + b"\0")
        return self._last

    def _answer(self, sent: int, what: str) -> dict[str, Any]:
        if sent not in self._answers:
            self.hear_until(lambda _: sent in self._answers, what)
        answer = self._answers.pop(sent)
        if "error" in answer:
            raise RuntimeError(answer["error"]["message"])
        return answer["result"]

    def hear_until(self, enough: Callable[[dict[str, Any]], bool], what: str) -> None:
        """Hear what the browser says until one message is enough. TimeoutError, naming what was waited for."""
        deadline = time.monotonic() + SECONDS
        while not enough(self._hear(deadline, what)):
            pass

    def _hear(self, deadline: float, what: str) -> dict[str, Any]:
        while b"\0" not in self._rest:
            if not select.select([self._in], [], [], max(0, deadline - time.monotonic()))[0]:
                raise TimeoutError(what)
            piece = self._in.read(1 << 16)
            if not piece:
                raise RuntimeError("the browser has gone")
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\0")
        message = json.loads(line)
        if "id" in message:
            self._answers[message["id"]] = message
        elif (hear := self._listeners.get(message.get("sessionId"))):
            hear(message["method"], message["params"])
        return message


class Page:
    """One tab. `complaints`: errors and warnings of the page, refusals of its security policy included."""

    def __init__(self, browser: Browser, session: str, context: str, width: int, dark: bool) -> None:
        self._browser, self._session, self.context, self.complaints, self._loads = browser, session, context, [], 0
        browser.listen(session, self._on)
        for domain in ("Page", "Runtime", "Log"):
            self._ask(f"{domain}.enable")
        self.widen(width)
        if dark:
            self.darken(dark)

    def widen(self, width: int) -> None:
        """Make the window so many pixels wide, narrower too."""
        self._ask("Emulation.setDeviceMetricsOverride", {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False})

    def darken(self, dark: bool) -> None:
        """Ask the open page, and those opened from now on, for its dark colours or its light ones."""
        self._ask("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})

    def open(self, address: str) -> None:
        """Go to an address and wait until all of it has loaded."""
        self.leads(lambda: self._ask("Page.navigate", {"url": address}), address)

    def leads(self, doing: Callable[[], Any], what: str) -> None:
        """Do what leads to another page and wait until all of that has loaded; its scripts need not run."""
        loads = self._loads
        doing()
        if self._loads == loads:
            self._browser.hear_until(lambda _: self._loads > loads, f"{what} to load")

    def back(self) -> None:
        """The browser's back button."""
        history = self._ask("Page.getNavigationHistory")
        entry = history["entries"][history["currentIndex"] - 1]
        self.leads(lambda: self._ask("Page.navigateToHistoryEntry", {"entryId": entry["id"]}), "the page before")

    def scripts(self, on: bool) -> None:
        """Switch scripts off, or on again, for the pages opened from now on; what a test asks of them is answered all the same."""
        self._ask("Emulation.setScriptExecutionDisabled", {"value": not on})

    def value(self, script: str) -> Any:
        """What an expression gives, a promise waited for. RuntimeError where it throws."""
        answer = self._ask("Runtime.evaluate", {"expression": script, "returnByValue": True, "awaitPromise": True})
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"].get("exception", {}).get("description", "thrown"))
        return answer["result"].get("value")

    def until(self, script: str) -> None:
        """Wait until an expression is true, across a navigation too. TimeoutError where it never is."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            try:
                if self.value(f"new Promise(done => setTimeout(() => done(Boolean({script})), 20))"):
                    return
            except RuntimeError:  # the page went away while it was asked
                continue
        raise TimeoutError(script)

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self._ask("Input.insertText", {"text": text})

    def click(self, x: float, y: float, times: int = 1) -> None:
        """Press and let go at a point of the window; twice: a double click."""
        for count in range(1, times + 1):
            for kind in ("mousePressed", "mouseReleased"):
                self._ask("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, "button": "left", "clickCount": count})

    def swap_cookies(self, cookies: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Have these cookies and no others; those there were. Another person in the same tab costs a tenth of another profile."""
        of = {"browserContextId": self.context}
        before = self._browser.ask("Storage.getCookies", of)["cookies"]
        self._browser.ask("Storage.clearCookies", of)
        self._browser.ask("Storage.setCookies", of | {"cookies": cookies})
        return before

    def choose_file(self, script: str, *paths: str) -> None:
        """Put files of this machine into the file field that an expression gives."""
        found = self._ask("Runtime.evaluate", {"expression": script})["result"]
        self._ask("DOM.setFileInputFiles", {"objectId": found["objectId"], "files": list(paths)})

    def drag(self, *points: tuple[float, float]) -> None:
        """Press the mouse at the first of these points of the window, move over the others and let go at the last."""
        for kind, (x, y) in (("mousePressed", points[0]), *(("mouseMoved", one) for one in points[1:]), ("mouseReleased", points[-1])):
            event = {"type": kind, "x": x, "y": y, "button": "left", "buttons": int(kind != "mouseReleased"), "clickCount": 1}
            self._browser.ask_in_frame("Input.dispatchMouseEvent", event, self._session)

    def run_first(self, script: str) -> None:
        """Run a script in every page opened from now on, before its own."""
        self._ask("Page.addScriptToEvaluateOnNewDocument", {"source": script})

    def _ask(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        return self._browser.ask(method, params, self._session)

    def _on(self, method: str, params: dict[str, Any]) -> None:
        if method == "Page.loadEventFired":
            self._loads += 1
        elif method == "Page.frameNavigated" and params.get("type") == "BackForwardCacheRestore":
            self._loads += 1  # shown again as it was left, loaded no second time
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(params["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(params["exceptionDetails"]["text"])
