"""What went wrong, in one sentence for people: failures that are no refusal of ours."""

from __future__ import annotations

import errno
import os

#: errno -> how people read it
_WORDS = {
    errno.ENOENT: "文件或文件夹不存在",
    errno.EACCES: "没有权限",
    errno.EPERM: "没有权限",
    errno.EROFS: "磁盘是只读的",
    errno.ENOSPC: "磁盘空间已满",
    errno.EDQUOT: "磁盘配额已用完",
    errno.EFBIG: "文件超过允许的大小",
    errno.EBUSY: "正被使用",
    errno.EEXIST: "已经有同名的文件或文件夹",
    errno.ENOTDIR: "路径中有一段不是文件夹",
    errno.EISDIR: "这是一个文件夹",
    errno.ENOTEMPTY: "文件夹不是空的",
    errno.ENAMETOOLONG: "名称太长",
    errno.ELOOP: "符号链接绕成了圈",
    errno.EIO: "读写磁盘出错",
    errno.EINVAL: "名称或位置不合规定",
    errno.EMFILE: "打开的文件太多",
    errno.EADDRINUSE: "已被别的程序占用",
    errno.EADDRNOTAVAIL: "不是本机的地址",
    errno.ECONNREFUSED: "连接被拒绝",
    errno.ECONNRESET: "连接中断",
    errno.ETIMEDOUT: "连接超时",
    errno.EHOSTUNREACH: "连不上主机",
    errno.ENETUNREACH: "连不上网络",
}

#: what SQLite says -> what to do about it
_SQLITE = (
    ("file is not a database", "数据库文件不是 SQLite 数据库，可能指错了文件或已损坏。请检查 PORTAL_DATA 和 DATABASE_URL，或从备份恢复。"),
    ("malformed", "数据库文件已损坏。请停止使用，从备份恢复。"),
    ("locked", "数据库正被别的程序长时间占用。请稍后再试。"),
    ("readonly", "数据库不能写入：文件或所在文件夹是只读的。请检查权限。"),
    ("unable to open", "数据库文件打不开。请检查数据目录的路径和权限。"),
    ("full", "磁盘空间已满，没有保存。请腾出空间后重试。"),
    ("disk i/o", "读写数据库文件时磁盘出错。请检查磁盘。"),
)


def words_of(problem: OSError) -> str:
    """Why a file, folder or address cannot be used, without a full stop."""
    return _WORDS.get(problem.errno or 0) or problem.strerror or type(problem).__name__


def is_of(failure: BaseException, module: str, name: str) -> bool:
    """Whether this is (a kind of) `module.name`, without importing a driver only the store may know."""
    return any(cls.__name__ == name and cls.__module__.split(".")[0] == module for cls in type(failure).__mro__)


def sentence_of(failure: BaseException) -> str:
    """One clear sentence for a failure nobody foresaw where it happened."""
    if is_of(failure, "sqlite3", "Error"):
        said = str(failure).lower()
        return next((words for part, words in _SQLITE if part in said), f"数据库出错（{failure}）。加 --debug 重试可以看到细节。")
    if is_of(failure, "asyncpg", "PostgresError") or is_of(failure, "asyncpg", "InterfaceError"):
        return f"PostgreSQL 数据库不能使用（{failure}）。请检查 DATABASE_URL 和数据库服务。"
    if isinstance(failure, ConnectionError) or isinstance(failure, TimeoutError):
        return f"连接失败（{words_of(failure)}）。请检查 DATABASE_URL 中的地址和数据库服务是否已经启动。"
    if isinstance(failure, OSError):
        place = f"“{os.fsdecode(failure.filename)}”" if isinstance(failure.filename, str | bytes) else "文件"
        return f"{place}不能使用：{words_of(failure)}。请检查路径、权限和磁盘空间。"
    if isinstance(failure, RecursionError):
        return "文件内容嵌套过深，不能读取。请取回原文件。"
    if isinstance(failure, MemoryError):
        return "内存不足，没有办完。请关闭其他程序或换一台内存更大的计算机。"
    return f"程序出错（{type(failure).__name__}: {failure}）。加 --debug 重试可以看到细节。"
