"""What people see when something is refused or breaks: words in Chinese, a request id, never a traceback."""

from __future__ import annotations

import logging
from typing import Any

from litestar import Request
from litestar.exceptions import HTTPException
from litestar.response import Redirect, Response

from portal.domain.errors import Conflict, DoneBefore, Refused
from portal.web.access import NeedsLogin, NeedsFirst, entry_of, login_address
from portal.web.pages import frame, go_to, is_fragment, render

_LOG = logging.getLogger("portal.web")

_TITLES = {
    400: "请求无法识别",
    403: "没有权限",
    404: "没有找到",
    405: "不能这样打开",
    409: "现在还不能办理",
    413: "提交的内容太大",
    422: "有些内容需要修改",
    500: "系统出错了",
}
_WORDS = {
    400: "请求的写法不对，请回到页面重新操作。",
    403: "您没有权限打开这个页面。",
    404: "没有这个页面。请检查地址，或者从左侧目录进入。",
    405: "这个地址不能直接打开。请回到页面，用页面上的按钮操作。",
    413: "提交的内容太大，没有接收：文字最多 256 KB，文件最多 20 MB。请缩短文字，或把文件拆分后分别上传。",
}


def show_refused(request: Request, error: Refused) -> Response[str]:
    """A refusal nobody answered closer by: its message, each problem, and the way back."""
    return error_page(request, error.status, error.message, error.problems, error.both if isinstance(error, Conflict) else ())


def show_done(request: Request, error: DoneBefore) -> Response[Any] | Redirect:
    """The same form once more: where the first one led, or words where that is not known (a page that answered without leading on)."""
    return go_to(error.location) if error.location else show_refused(request, error)


def show_http(request: Request, error: HTTPException) -> Response[str]:
    status = error.status_code if error.status_code in _WORDS else 500 if error.status_code >= 500 else 400
    if status == 500:
        return show_broken(request, error)
    return error_page(request, status, _WORDS[status])


def show_broken(request: Request, error: Exception) -> Response[str]:
    entry = entry_of(request.scope)
    _LOG.error("request %s %s %s failed", entry.request_id, request.method, request.url.path, exc_info=error)
    return error_page(request, 500, "刚才的操作没有完成，数据没有改动。请稍后再试；再次出现时，把页面编号告诉系统管理员。")


def ask_login(request: Request, error: NeedsLogin) -> Response[Any] | Redirect:
    """To the login page and back: never to data."""
    address = login_address(error.then, error.stale)
    if is_fragment(request):
        return Response("", status_code=200, headers={"HX-Redirect": address})
    response = go_to(address)
    if error.stale:
        response.set_cookie(request.app.state.portal.cookie.dropped())
    return response


def ask_first(request: Request, error: NeedsFirst) -> Response[Any] | Redirect:
    if is_fragment(request):
        return Response("", status_code=200, headers={"HX-Redirect": error.address})
    return go_to(error.address)


def error_page(request: Request, status: int, message: str, problems: tuple = (), both: tuple = ()) -> Response[str]:
    context = frame(request, "") | {
        "counts": {}, "refused": None, "status": status, "title": _TITLES[status], "message": message, "problems": problems, "both": both,
    }  # fmt: skip
    if is_fragment(request):
        return render(request, "_refused.html", status, context)
    return render(request, "error.html", status, context)


HANDLERS = {
    DoneBefore: show_done,
    Refused: show_refused,
    NeedsLogin: ask_login,
    NeedsFirst: ask_first,
    HTTPException: show_http,
    Exception: show_broken,
}
