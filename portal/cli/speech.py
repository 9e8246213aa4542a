"""What commands say, in the wording that PORTAL_TEXTS names."""

from __future__ import annotations

import os

from portal.texts.files import load_wording


def said(text: str) -> str:
    """A sentence as it is printed. What a program reads (JSON) is never reworded."""
    catalogue = load_wording(os.environ.get("PORTAL_TEXTS", ""))
    return text if catalogue is None or text.startswith(("{", "[")) else catalogue.say(text)
