"""Where python-tuf gets its bytes from: the city by signed requests, or a folder such as a USB stick."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from tuf.api.exceptions import DownloadError, DownloadHTTPError
from tuf.ngclient.fetcher import FetcherInterface

from sync.answers import Refused

BASE = "plaza:/"
"""Prefix that makes a path an address, because python-tuf wants addresses."""

CHUNK = 64 * 1024


class Downloads(Protocol):
    def download(self, path: str) -> Iterator[bytes] | int | Refused:
        """Chunks of a body, or the HTTP status of another answer, or why there was none."""


class CityFetcher(FetcherInterface):
    """Counts what it moved in `bytes_moved`."""

    def __init__(self, downloads: Downloads) -> None:
        self._downloads = downloads
        self.bytes_moved = 0

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = "/v1/tuf/" + url.removeprefix(BASE)
        answer = self._downloads.download(path)
        if isinstance(answer, Refused):
            raise DownloadError(answer.detail)
        if isinstance(answer, int):
            raise DownloadHTTPError(f"{path}: {answer}", answer)
        for chunk in answer:
            self.bytes_moved += len(chunk)
            yield chunk


class FolderFetcher(FetcherInterface):
    """A mirror of the repository in a folder; what lies outside it is not there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self.bytes_moved = 0

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = (self._folder / url.removeprefix(BASE)).resolve()
        if not path.is_relative_to(self._folder) or not path.is_file():
            raise DownloadHTTPError(f"{url}: not on the stick", 404)
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                self.bytes_moved += len(chunk)
                yield chunk
