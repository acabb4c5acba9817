"""Another version of minicoord, for measuring what a change has gained: a folder with a checkout of it.

Its own worker and its own rows run, in a process that imports from that folder. So it has to have a benchmark with the
same orders (``build``, ``seconds``), which it has had from the first.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from minicoord.bench.measure import imports_from


def check_checkout(folder: Path) -> Path:
    """Return the folder of a checkout as an absolute path.

    Raises
    ------
    ValueError
        If there is no minicoord with a benchmark in the folder, or a process started there imports another one.
    """
    folder = folder.resolve()
    if not (folder / "minicoord" / "bench" / "worker.py").is_file():
        raise ValueError(f"{folder} has no minicoord/bench/worker.py, wanted a checkout of minicoord")
    code = "import minicoord; print(minicoord.__file__)"
    environment = {**os.environ, **imports_from(folder)}
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True)
    said = done.stdout.strip() or done.stderr.strip().rpartition("\n")[2] or "nothing"
    if done.returncode or folder not in Path(said).resolve().parents:
        raise ValueError(f"'import minicoord' in {folder} gave {said}, wanted that folder's own")
    return folder


def commit_of(folder: Path) -> str | None:
    """Return the git commit of a checkout, or None if there is none to be found."""
    try:
        command = ["git", "-C", str(folder), "rev-parse", "HEAD"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
