"""Whole-day events as an iCalendar file (RFC 5545), for the calendar of a phone or a desk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

__all__ = ["Event", "write_calendar"]

_OCTETS = 75  # of a line, its break not counted (section 3.1)


@dataclass(frozen=True, slots=True)
class Event:
    """`uid`: the same whenever the same event is written; `on`: the whole day."""

    uid: str
    on: date
    summary: str
    description: str = ""
    url: str = ""


def write_calendar(events: Iterable[Event], name: str, at: datetime) -> bytes:
    """The file: UTF-8, CRLF, long lines folded. `at`: when it was written."""
    written = at.astimezone(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Mingcha//Visits//ZH", "CALSCALE:GREGORIAN", "METHOD:PUBLISH", f"X-WR-CALNAME:{_escaped(name)}"]
    for event in events:
        lines += [
            "BEGIN:VEVENT", f"UID:{_escaped(event.uid)}", f"DTSTAMP:{written}", f"DTSTART;VALUE=DATE:{event.on:%Y%m%d}",
            f"DTEND;VALUE=DATE:{event.on + timedelta(days=1):%Y%m%d}", f"SUMMARY:{_escaped(event.summary)}",
        ]  # fmt: skip
        lines += [f"DESCRIPTION:{_escaped(event.description)}"] if event.description else []
        lines += [f"URL:{event.url}"] if event.url else []  # a URI, not a text: section 3.3.13
        lines += ["TRANSP:TRANSPARENT", "END:VEVENT"]
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) + b"\r\n" for line in lines)


def _escaped(text: str) -> str:
    for plain, said in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\\n"), ("\n", "\\n")):
        text = text.replace(plain, said)
    return text


def _folded(line: str) -> bytes:
    """A line of at most 75 octets, what is longer on further lines that begin with a blank; no letter is cut in two."""
    pieces, piece = [], b""
    for letter in line:
        octets = letter.encode()
        if len(piece) + len(octets) > _OCTETS:
            pieces.append(piece)
            piece = b" "
        piece += octets
    return b"\r\n".join([*pieces, piece])
