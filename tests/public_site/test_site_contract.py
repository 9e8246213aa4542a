"""The contract of site.txt, and what only a browser can tell."""

import http.client
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest

from public_site.bundle import load_bundle, shard
from public_site.pages import sheet_path
from public_site.release import release
from public_site.serve import make_server
from tests.public_site.browser import Browser, program
from tests.public_site.conftest import FakePdfs

CONTRACT = Path(__file__).with_name("site.txt")


@dataclass
class Block:
    """One promise: a path and what its answer must be."""

    line: int
    path: str
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    contains: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)


def parse_contract(text: str) -> list[Block]:
    """The blocks of site.txt; a line it does not know is an error."""
    blocks: list[Block] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        word, _, rest = line.partition(" ")
        if word == "GET":
            blocks.append(Block(number, rest))
        elif word == "status":
            blocks[-1].status = int(rest)
        elif word == "header":
            name, _, value = rest.partition(": ")
            blocks[-1].headers.append((name, value))
        elif word in ("contains", "absent"):
            getattr(blocks[-1], word).append(rest)
        else:
            raise ValueError(f"site.txt line {number}: {line}")
    return blocks


@pytest.fixture(scope="module")
def address(bundle: Path, verify: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    site = tmp_path_factory.mktemp("contract") / "site"
    release(bundle, site, FakePdfs(), verify=verify)
    server = make_server(site)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server.server_address[:2]
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def names(bundle: Path) -> dict[str, str]:
    """What {firm}, {sheet} and {xx} stand for."""
    first = next(load_bundle(bundle).results())
    return {"{firm}": first["entity"], "{xx}": shard(first["entity"]), "{sheet}": sheet_path(first["visit"]).removeprefix("sheets/")}


def filled(text: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(name, value)
    return text


def check_block(block: Block, address: tuple[str, int], names: dict[str, str]) -> list[str]:
    """What of a block does not hold."""
    connection = http.client.HTTPConnection(*address, timeout=10)
    connection.request("GET", filled(block.path, names))
    answer = connection.getresponse()
    body = answer.read().decode("utf-8", "replace")
    connection.close()
    wrong = [] if answer.status == block.status else [f"status {answer.status}"]
    wrong += [f"header {name}: {value}" for name, value in block.headers if value not in (answer.headers[name] or "")]
    wrong += [f"contains {text}" for text in block.contains if filled(text, names) not in body]
    wrong += [f"absent {text}" for text in block.absent if filled(text, names) in body]
    return wrong


BLOCKS = parse_contract(CONTRACT.read_text("utf-8"))


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.path)
def test_the_site_keeps_its_promise(block: Block, address: tuple[str, int], names: dict[str, str]) -> None:
    assert check_block(block, address, names) == [], f"site.txt line {block.line}"


def test_a_broken_promise_is_seen(address: tuple[str, int], names: dict[str, str]) -> None:
    block = Block(0, "/about.html", 404, [("Content-Type", "image/png")], ["没有这样的话"], ["关于本站"])
    assert len(check_block(block, address, names)) == 4


def test_an_unknown_line_in_the_contract_is_an_error() -> None:
    with pytest.raises(ValueError, match="line 2"):
        parse_contract("GET /\nmaybe x")


def test_every_page_says_of_when_its_data_is_and_loads_nothing_foreign(address: tuple[str, int]) -> None:
    for block in BLOCKS:
        if block.status == 200 and (block.path.endswith(("/", ".html")) and "{" not in block.path):
            connection = http.client.HTTPConnection(*address, timeout=10)
            connection.request("GET", block.path)
            body = connection.getresponse().read().decode()
            assert re.search(r'本页数据截至 <time datetime="\d{4}-\d\d-\d\d">', body), block.path
            assert not re.search(r'(?:src|href|action)="(?:[a-z]+:|//)', body), block.path


# In a browser ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if program() is None:
        pytest.skip("needs a Chromium browser")
    with Browser(unseen=True) as opened:
        yield opened


@pytest.mark.chromium
def test_a_firm_is_found_by_its_code_and_by_its_name_in_a_browser(browser: Browser, bundle: Path, address: tuple[str, int]) -> None:
    opened = load_bundle(bundle)
    root = f"http://{address[0]}:{address[1]}/"
    page = browser.page()
    code = min(opened.by_entity)
    for typed in (opened.names_of(code)[0], f"  {code.lower()} "):
        page.open(root)
        page.value(f"document.getElementById('q').value = {json.dumps(typed)}; document.querySelector('#find button').click()")
        page.until(f"location.pathname.endsWith('/{code}.html') && document.readyState === 'complete'")
    page.open(f"{root}results/index.html?q={quote('没有这一家有限公司')}")
    page.until("document.querySelector('#found .note')")
    assert "没有查到“没有这一家有限公司”的已公示结果" in page.value("document.getElementById('found').textContent")
    assert page.complaints == []  # and the security policy had nothing to refuse


@pytest.mark.chromium
def test_the_larger_type_is_kept_from_page_to_page(browser: Browser, address: tuple[str, int]) -> None:
    root, senior = f"http://{address[0]}:{address[1]}/", "document.documentElement.hasAttribute('data-senior')"
    toggle = "document.querySelector('[data-senior-toggle]').click()"
    page = browser.page()
    page.open(root)
    assert page.value(senior) is False
    page.value(toggle)
    page.open(f"{root}tasks/index.html")
    assert page.value(senior) is True
    assert page.value("document.querySelector('[data-senior-toggle]').textContent") == "退出长者模式"
    page.value(toggle)
    page.open(root)
    assert page.value(senior) is False


@pytest.mark.chromium
def test_no_page_is_wider_than_its_window_in_either_size_of_type(browser: Browser, address: tuple[str, int], names: dict[str, str]) -> None:
    page, sizes = browser.page(), [False, True]
    for block in BLOCKS:
        if block.status == 200 and block.path.endswith(("/", ".html")):
            page.open(f"http://{address[0]}:{address[1]}{filled(block.path, names)}")
            for senior in sizes:
                assert page.value("document.documentElement.hasAttribute('data-senior')") is senior
                for width in (390, 1280):
                    page.widen(width)
                    page.until(f"innerWidth === {width}")
                    assert page.value("document.documentElement.scrollWidth") <= width, (block.path, width, senior)
                if senior is sizes[0]:  # the next page begins in the size that this one ends in
                    page.value("document.querySelector('[data-senior-toggle]').click()")
            sizes.reverse()
    assert page.complaints == []
