"""A headless browser, driven by Playwright, and a watch on its pages."""

from __future__ import annotations

import shutil
from importlib.util import find_spec

from debian import install

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WEBGL = ("--enable-unsafe-swiftshader",)
"""Drawn by the CPU where there is no GPU, as is all else on a page; `--use-angle=swiftshader` would emulate a GPU for
that, too, and take twice the time.
"""
NO_WEBGL = ("--disable-gpu", "--disable-3d-apis")
OWN = ("file:", "data:", "blob:", "about:")
"""What a page that works offline may ask for."""


def missing() -> str | None:
    """Why no browser can be used here, or None; Debian's Chromium is installed if possible."""
    if find_spec("playwright") is None:
        return "package playwright, of requirements.lock, is not installed"
    return None if program() else install("chromium")


def program() -> str | None:
    """Path of a browser, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Watch:
    """Records forbidden events of a page: errors, also on the console, and requests other than for local files.

    Attributes:
        complaints: in words, each once.
    """

    def __init__(self, page):
        self.complaints: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self._note(f"error on the page: {error}"))
        page.on("crash", lambda _: self._note("the page crashed"))
        page.on("request", self._asked)
        page.on("websocket", lambda socket: self._note(f"socket: {socket.url}"))

    def _said(self, message) -> None:
        if message.type == "error":
            self._note(f"error on the console: {message.text}")

    def _asked(self, request) -> None:
        if not request.url.startswith(OWN):
            self._note(f"request: {request.url}")

    def _note(self, complaint: str) -> None:
        if complaint not in self.complaints:
            self.complaints.append(complaint)
