"""nginx with the configuration we write: what it serves, with which headers, and what it refuses."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from portal.domain.errors import BadInput
from public_site import hosting
from public_site.bundle import load_bundle
from public_site.pages import entity_path
from public_site.release import release
from public_site.serve import HEADERS
from tests.public_site.bundle_fixture import make_bundle
from tests.public_site.conftest import FakePdfs
from tests.public_site.test_forget import changed, stone

NGINX = shutil.which("nginx") or next((place for place in ("/usr/sbin/nginx",) if Path(place).exists()), None)


def test_an_address_is_the_root_of_a_host(tmp_path: Path) -> None:
    assert hosting.load_address(tmp_path) == ""
    assert hosting.save_address(tmp_path, " https://GS.example.gov.cn ") == hosting.load_address(tmp_path) == "https://gs.example.gov.cn/"
    for wrong in ("gs.example.gov.cn", "https://gs.example.gov.cn/disclosure", "ftp://x/", "https://a b/", "https://x/\n<", "https://用户/", ""):
        with pytest.raises(BadInput, match="网站地址"):
            hosting.save_address(tmp_path, wrong)


def test_a_host_or_folder_that_would_write_more_than_itself_is_refused(tmp_path: Path) -> None:
    for wrong in ("a; return 200", "x y", "", "-a", "a{}", "$host"):
        with pytest.raises(BadInput, match="主机名"):
            hosting.nginx_config(tmp_path, wrong)
    (tmp_path / "a b").mkdir()
    with pytest.raises(BadInput, match="含有空格"):
        hosting.nginx_config(tmp_path / "a b", "x.cn")
    assert all(f'add_header {name} "{value}" always;' in hosting.nginx_config(tmp_path, "x.cn") for name, value in HEADERS.items())


@pytest.fixture(scope="module")
def served(verify: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path, dict]]:
    """(port, site, a forgotten result) of a site behind nginx."""
    if NGINX is None:
        pytest.skip("needs nginx")
    place = tmp_path_factory.mktemp("nginx")
    plain = make_bundle(place / "bundle", firm_count=40)
    rows = list(load_bundle(plain).results())
    gone = next(row for row in rows if sum(one["entity"] == row["entity"] for one in rows) == 1)
    release(changed(plain, place / "after", [row for row in rows if row is not gone], [stone(gone)]), place / "site", FakePdfs(), verify=verify)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    os.chmod(place, 0o755)
    own = hosting.nginx_config(place / "site", "gs.example.cn", port).replace(f"listen {port};", f"listen 127.0.0.1:{port};")
    user = "user root;\n" if os.geteuid() == 0 else ""  # its workers must reach the tests' folder
    temporary = "".join(f"  {name}_temp_path {place}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (place / "nginx.conf").write_text(f"{user}daemon off;\nmaster_process off;\npid {place}/pid;\nerror_log {place}/error.log;\nevents {{}}\nhttp {{\n{temporary}{own}}}\n")
    command = [NGINX, "-p", str(place), "-e", f"{place}/error.log", "-c", str(place / "nginx.conf")]
    tried = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert tried.returncode == 0 and "warn" not in tried.stderr, tried.stderr
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        for _ in range(2000):
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert child.poll() is None, (place / "error.log").read_text()
        yield port, place / "site", gone
    finally:
        child.terminate()
        child.wait(10)


def ask(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, headers={"Host": "gs.example.cn", **headers})
    answer = connection.getresponse()
    found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    connection.close()
    return found


def test_pages_come_with_every_header_and_packed_where_a_twin_lies_there(served: tuple[int, Path, dict]) -> None:
    port, site, _ = served
    for path in ("/", "/items/", "/about.html", "/nowhere.html"):
        status, headers, body = ask(port, path)
        assert status == (404 if "nowhere" in path else 200)
        assert all(headers[name.lower()] == value for name, value in HEADERS.items()) and headers["cache-control"] == "no-cache", path
        assert headers["content-type"].lower() == "text/html; charset=utf-8"
    assert body == (site / "current/404.html").read_bytes() and "nginx/" not in headers.get("server", "")
    assert [ask(port, path)[0] for path in ("/404.html", "/410.html", "/410.html.gz", "/a/b/c.pdf")] == [404] * 4 and ask(port, "/a/b/c.pdf")[2] == body
    packed = ask(port, "/a/b.json", **{"Accept-Encoding": "gzip"})
    assert (packed[0], packed[2]) == (404, (site / "current/404.html.gz").read_bytes())
    plain = (site / "current/about.html").read_bytes()
    status, headers, body = ask(port, "/about.html", **{"Accept-Encoding": "gzip"})
    assert headers["content-encoding"] == "gzip" and body == (site / "current/about.html.gz").read_bytes()
    assert ask(port, "/about.html")[2] == plain and ask(port, "/about.html")[1]["vary"] == "Accept-Encoding"
    etag = ask(port, "/about.html")[1]["etag"]
    assert ask(port, "/about.html", **{"If-None-Match": etag})[0] == 304


def test_every_kind_of_file_has_the_type_our_own_server_gives(served: tuple[int, Path, dict]) -> None:
    wanted = {"/data/results.csv": "text/csv", "/data/results.jsonl": "application/jsonl", "/data/codes.json": "application/json", "/feed.xml": "application/xml", "/plans/2026.pdf": "application/pdf",
              "/static/site.js": "text/javascript", "/static/icon.svg": "image/svg+xml", "/verify/verify.py": "text/x-python", "/log/checkpoint": "text/plain", "/robots.txt": "text/plain"}  # fmt: skip
    for path, kind in wanted.items():
        status, headers, _ = ask(served[0], path)
        assert (status, headers["content-type"].split(";")[0]) == (200, kind), path


def test_what_is_gone_answers_410_and_nothing_outside_the_release_is_served(served: tuple[int, Path, dict]) -> None:
    port, site, gone = served
    status, headers, body = ask(port, f"/{entity_path(gone['entity'])}")
    assert (status, body) == (410, (site / "current/410.html").read_bytes()) and "content-security-policy" in headers
    assert headers["content-type"].lower() == "text/html; charset=utf-8" and gone["entity"] not in body.decode()
    for path in ("/gone.txt", "/gone.map", "/tombstones.jsonl", "/.lock", "/../site/gone.txt", "/%2e%2e/gone.txt", "/..%2fgone.txt", "/releases/", "/current/index.html"):
        assert ask(port, path)[0] in (400, 404), path
    for method in ("POST", "PUT", "DELETE"):
        assert ask(port, "/about.html", method)[0] in (403, 405), method
