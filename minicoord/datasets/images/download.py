"""Fetch published files: checked by their SHA-256, continued where a broken transfer ended, and complete or not there.

While a file arrives it is called ``NAME.part``. A transfer that breaks leaves this file, and the next one asks the
server for the rest only. When the checksum is right, one rename gives the file its name; when it is wrong, the part is
removed. A file of that name that was there before stays until then.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from minicoord.datasets.images.sources import DATA_VARIABLE, FILES, SourceFile
from minicoord.system.arguments import shown
from minicoord.system.files import one_process_at_a_time, remove_file
from minicoord.system.places import PathLike, check_file, make_folder

CHUNK = 2**18  # bytes
TIMEOUT = 30.0  # seconds without a byte
TRIES = 3  # of each address; all but the first go on with what has arrived

Say = Callable[[str], None]
_FAULTS = (OSError, http.client.HTTPException)  # URLError and time-outs are kinds of OSError


def download_images(name: str, folder: PathLike | None = None, say: Say | None = None) -> Path:
    """Fetch the files of a set that a folder does not have yet.

    Parameters
    ----------
    name : {"mnist", "fashion-mnist", "cifar-10"}
        12 MB, 31 MB and 170 MB.
    folder : path, optional
        Where the files go; by default ``$MINICOORD_DATA/NAME``. It is made if it is missing.
    say : callable, optional
        Is called with a line for each file, such as `print`.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    ValueError
        If the name is unknown, or neither `folder` nor ``MINICOORD_DATA`` is given.
    OSError
        If a file cannot be fetched from any of its addresses, or cannot be written.
    """
    if not isinstance(name, str) or name not in FILES:
        raise ValueError(f"download_images: the name is {shown(name)}, wanted one of {', '.join(map(repr, FILES))}")
    if folder is None:
        variable = os.environ.get(DATA_VARIABLE)
        if not variable:
            raise ValueError(
                f"download_images: there is no folder for the files of {name}; give one as folder=..., or set "
                f"{DATA_VARIABLE} to a folder for all sets"
            )
        folder = Path(variable) / name
    target = make_folder(folder)
    with one_process_at_a_time(target / ".download.lock"):
        for file in FILES[name]:
            download(file, target, say)
    return target


def download(file: SourceFile, folder: Path, say: Say | None = None) -> Path:
    """Fetch one file into an existing folder, unless it is there with the right checksum; see `download_images`."""
    path = check_file(folder / file.name)
    if _is_right(path, file):
        return path
    part = check_file(path.with_name(f"{path.name}.part"))
    if _is_right(part, file):  # a process ended between the last byte and the rename
        os.replace(part, path)
        return path
    problems: dict[str, None] = {}  # a set that keeps its order
    for address in file.addresses:
        for _ in range(TRIES):
            if say is not None:
                say(f"fetching {address}")
            try:
                _fetch(address, part)
            except urllib.error.HTTPError as error:  # the server's answer, which will be the same again
                problems[f"{address}: {error}"] = None
                if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                    break
                remove_file(part)  # it is longer than the file
            except _FAULTS as error:
                problems[f"{address}: {error}"] = None
            else:
                if _is_right(part, file):
                    os.replace(part, path)
                    return path
                problems[f"{address}: the SHA-256 of what arrived is {_sha256(part)}, wanted {file.sha256}"] = None
                remove_file(part)
    raise OSError(f"cannot fetch {file.name} ({'; '.join(problems)}); fetch it by hand and put it into {folder}")


def _fetch(address: str, part: Path) -> None:
    """Add to `part` what is missing of a file; raise an error of `_FAULTS` if the transfer breaks."""
    held = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(address, headers={"Range": f"bytes={held}-"} if held else {})
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
        goes_on = response.status == http.HTTPStatus.PARTIAL_CONTENT
        if goes_on and not str(response.headers["Content-Range"]).startswith(f"bytes {held}-"):
            raise http.client.HTTPException(f"asked for the bytes from {held}, got {response.headers['Content-Range']}")
        promised = response.headers["Content-Length"]
        received = 0
        with open(part, "ab" if goes_on else "wb") as file:
            while chunk := response.read(CHUNK):
                file.write(chunk)
                received += len(chunk)
            file.flush()
            os.fsync(file.fileno())
    if promised is not None and received < int(promised):
        raise http.client.IncompleteRead(b"", int(promised) - received)


def _is_right(path: Path, file: SourceFile) -> bool:
    return path.is_file() and _sha256(path) == file.sha256


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
