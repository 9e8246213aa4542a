"""Static search: exact names, codes and old numbers of entities, and free text over announcements.

Both are small files which the browser asks for by itself (static/site.js makes the same keys); nobody learns what was
looked for, and without JavaScript there are the lists.

    data/search/index.json              {"buckets": N}, a power of two of at most 32,768
    data/search/<xx>/<xxxx>.txt         the keys of one bucket, a line each: key, code, shard, name, with tabs between;
                                        code or name is empty where it is the key itself
    data/text/index.json                {"buckets": N, "documents": n, "page": documents a file}
    data/text/<xx>.json                 {two characters: [numbers of announcements]}
    data/text/documents-<n>.json        [[title, address, day]], newest first, numbered on from file to file
"""

from __future__ import annotations

import hashlib
import tempfile
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any, TextIO

from public_site.bundle import Bundle, plain_json, shard, slug
from public_site.pages import announcements, item_path, page_path, plan_path_of, result_path, task_path

Row = dict[str, Any]

FOLDER, INDEX = "data/search/", "data/search/index.json"
MOST_BUCKETS = 32_768
SIZE = 24_000  # bytes of a bucket, about half that packed
AT_ONCE = 200_000  # keys in memory; of more a part at a time, by way of the disk
TEXT_SIZE = 16_000
PAGE = 200  # announcements a file


def search_key(text: str) -> str:
    """What a name or code is compared by; static/site.js makes the same of what is typed."""
    if text.isascii() and text.isalnum():
        return text.upper()
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()


def buckets_for(size: int, wanted: int) -> int:
    """How many buckets so that each has about so many bytes: a power of two."""
    count = 1
    while count < MOST_BUCKETS and size > count * wanted:
        count *= 2
    return count


def bucket_path(number: int) -> str:
    """Not more than 256 files a folder."""
    return f"data/search/{number >> 8:02x}/{number:04x}.txt"


def source_of(bundle: Bundle, style: str) -> str:
    """A digest of all that the exact index is made from: most changes touch no name and no code."""
    index = bundle.index
    state = hashlib.sha256(style.encode())
    for texts in (index.entities, index.names):
        state.update(texts.data)
        state.update(texts.sizes.tobytes())
    state.update(plain_json(index.aliases))
    return state.hexdigest()[:32]


def search_files(bundle: Bundle) -> Iterator[tuple[str, bytes]]:
    """The exact index, file by file."""
    size, keys = 0, 0
    for code in bundle.by_entity:
        for text in (code, *bundle.names_of(code), *bundle.aliases_of(code)):
            size += len(text) * 3 + 24
            keys += 1
    count = buckets_for(size, SIZE)
    yield INDEX, plain_json({"buckets": count})
    parts = min(count, keys // AT_ONCE + 1)
    step = -(-count // parts)
    with ExitStack() as opened:
        files = [opened.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n")) for _ in range(parts if parts > 1 else 0)]
        every = _keys(bundle, count)
        for number, line in every if files else ():
            files[number // step].write(f"{number}\t{line}")
        for part in range(parts):
            low = part * step
            found: list[list[str]] = [[] for _ in range(low, min(low + step, count))]
            for number, line in _read_back(files[part]) if files else every:
                found[number - low].append(line)
            for number, lines in enumerate(found, low):
                lines.sort()
                yield bucket_path(number), "".join(lines).encode()


def _keys(bundle: Bundle, count: int) -> Iterator[tuple[int, str]]:
    """(bucket, line) of every key."""
    for code in bundle.by_entity:
        names = bundle.names_of(code)
        name, folder = " ".join(names[-1].split()), shard(code)
        for key in {search_key(text) for text in (code, *names, *bundle.aliases_of(code))}:
            yield zlib.crc32(key.encode()) & (count - 1), f"{key}\t{'' if key == code else code}\t{folder}\t{'' if key == name else name}\n"


def _read_back(file: TextIO) -> Iterator[tuple[int, str]]:
    file.seek(0)
    for line in file:
        number, _, rest = line.partition("\t")
        yield int(number), rest


def look_up(read: Any, typed: str) -> list[tuple[str, str, str]]:
    """What the browser does: [(code, name, address)] of what was typed; `read(path)` gives a file's text."""
    import json

    key = search_key(typed)
    count = json.loads(read("data/search/index.json"))["buckets"]
    found = []
    for line in read(bucket_path(zlib.crc32(key.encode()) & (count - 1))).split("\n"):
        if line.startswith(f"{key}\t"):
            _, code, folder, name = line.split("\t")
            code = code or key
            found.append((code, name or key, f"entities/{folder}/{slug(code)}.html"))
    return found


# Free text -------------------------------------------------------------------------------------


def pairs(text: str) -> set[str]:
    """Each two characters that stand side by side in a word or sentence: Chinese is not written in words."""
    plain = "".join(char if char.isalnum() else " " for char in unicodedata.normalize("NFKC", text).upper())
    return {word[n : n + 2] for word in plain.split() for n in range(len(word) - 1)}


def text_files(bundle: Bundle) -> Iterator[tuple[str, bytes]]:
    """The index of announcements: their titles, and what the page they lead to is about."""
    rows, about = announcements(bundle), _about(bundle)
    places: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        for pair in pairs(f"{row['title']} {about.get(row['path'], '')}"):
            places.setdefault(pair, []).append(number)
    count = min(256, buckets_for(sum(12 + 6 * len(numbers) for numbers in places.values()), TEXT_SIZE))
    yield "data/text/index.json", plain_json({"buckets": count, "documents": len(rows), "page": PAGE})
    found: dict[int, dict[str, list[int]]] = {number: {} for number in range(count)}
    for pair, numbers in places.items():
        found[zlib.crc32(pair.encode()) & (count - 1)][pair] = numbers
    for number, content in found.items():
        yield f"data/text/{number:02x}.json", plain_json(content)
    for start in range(0, len(rows), PAGE):
        shown = [[row["title"], row["path"], row["on"]] for row in rows[start : start + PAGE]]
        yield f"data/text/documents-{start // PAGE}.json", plain_json(shown)


def _about(bundle: Bundle) -> dict[str, str]:
    """address -> the words of what is announced there."""
    found: dict[str, str] = {}

    def add(path: str, words: Iterable[Any]) -> None:
        found[path] = " ".join([found.get(path, ""), *(str(word) for word in words if word)])

    for plan in bundle.plans:
        add(plan_path_of(bundle, plan), [plan["number"], *plan["notes"], *(row[name] for row in plan["rows"] for name in ("category", "item", "objects", "department"))])
    for row in bundle.rounds:
        words = [row["number"], row["code"], (row["void"] or {}).get("reason")]
        words += [word for task in row["tasks"] for word in (task["name"], task["department"], *(item["name"] for item in (*task["items"], *task["riders"])))]
        for path in (task_path(row["code"]), result_path(row["code"])):
            add(path, words)
    for row in bundle.external:
        for path in (task_path(row["code"]), result_path(row["code"])):
            add(path, [row["code"], row["platform"], row["task"]["name"], *(item["name"] for item in row["task"]["items"])])
    for item in bundle.items:
        words = [item["name"], item["category"], item["sector_name"], *item["points"]]
        add(item_path(item), words)
        add("items/index.html", words[:3])
    for topic in bundle.pages:
        add(page_path(topic), [topic["title"], *(word for block in topic["blocks"] for word in (block["title"], block["body"] if isinstance(block["body"], str) else ""))])
    return found
