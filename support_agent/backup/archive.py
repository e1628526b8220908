"""The archive: a tar file of `database.dump`, `uploads/…`, perhaps `secrets.env`, and last `manifest.json`.

The manifest has a digest of every other member, and what the database held when it was dumped.
"""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import IO, Any, cast

from support_agent.backup.programs import BackupError

Json = dict[str, Any]
FORMAT = 1
DUMP, UPLOADS, SECRETS, MANIFEST = "database.dump", "uploads/", "secrets.env", "manifest.json"


class Writer:
    """Puts members into an archive and remembers their digests."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self.tar = tar
        self.members: dict[str, Json] = {}

    def file(self, name: str, path: Path) -> int:
        """Add a file as it is now; its size in bytes. One that goes away meanwhile raises FileNotFoundError."""
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
            info = self.tar.gettarinfo(fileobj=content, arcname=name)
            content.seek(0)
            self._add(info, content, digest)
        return info.size

    def text(self, name: str, text: str) -> None:
        content = text.encode()
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = len(content), 0o600, time.time()
        self._add(info, BytesIO(content), hashlib.sha256(content).hexdigest())

    def _add(self, info: tarfile.TarInfo, content: IO[bytes], digest: str) -> None:
        info.uid = info.gid = 0
        info.uname = info.gname = ""
        self.tar.addfile(info, content)
        self.members[info.name] = {"bytes": info.size, "sha256": digest}


@contextmanager
def written(path: Path) -> Iterator[Writer]:
    """A new archive that only its owner reads; it has its name once it is whole."""
    part = path.with_name(f".{path.name}.part")
    try:
        with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b") as file:
            with tarfile.open(fileobj=file, mode="w") as tar:
                yield Writer(tar)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def opened(path: Path) -> Iterator[tuple[tarfile.TarFile, Json]]:
    """An archive and its manifest, after each digest was found to be right. Raises BackupError."""
    try:
        with tarfile.open(path) as tar:
            manifest = _manifest(tar, path)
            _compare(tar, manifest["members"])
            yield tar, manifest
    except (tarfile.TarError, EOFError) as error:
        raise BackupError(f"{path} is no backup of ours, or broken: {error}.") from None
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror or error}.") from None


def _manifest(tar: tarfile.TarFile, path: Path) -> Json:
    try:
        content = tar.extractfile(MANIFEST)
        manifest: Json = json.load(content) if content else {}
        known = manifest.get("format") == FORMAT
    except (KeyError, ValueError, AttributeError):
        known = False
    if not known:
        raise BackupError(f"{path} has no manifest that this version reads: it is no backup of ours, or a newer one's.")
    return manifest


def _compare(tar: tarfile.TarFile, members: dict[str, Json]) -> None:
    found = {}
    for info in tar:
        content = tar.extractfile(info) if info.name != MANIFEST else None
        if content is not None:
            digest = hashlib.file_digest(cast(BufferedReader, content), "sha256").hexdigest()
            found[info.name] = {"bytes": info.size, "sha256": digest}
    wrong = sorted(name for name in members.keys() | found.keys() if members.get(name) != found.get(name))
    if wrong:
        more = f" and {len(wrong) - 1} more" if wrong[1:] else ""
        raise BackupError(f"the archive is broken: {wrong[0]}{more} is not as it was written.")
