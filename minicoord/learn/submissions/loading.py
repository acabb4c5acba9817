"""Run the text of an answer in a module of its own."""

from __future__ import annotations

import contextlib
import importlib
import linecache
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

_running: list[str] = []


def is_loading() -> bool:
    """Whether the text of an answer is being run at this moment: it must not ask for answers from files itself."""
    return bool(_running)


@lru_cache(maxsize=4)
def names_of(
    source: str, file: str, folder: Path, beside: frozenset[tuple[str, int]]
) -> tuple[dict[str, Any], BaseException | None]:
    """Run a text in a module of its own; return its names, and the error that stopped it.

    A file with many answers runs once, until it or a file `beside` it changes.

    Parameters
    ----------
    source, file : str
        The text, and what errors shall call the file that it is from.
    folder : Path
        Whose files it may import.
    beside : frozenset
        What `beside_in` returns.
    """
    lines = [f"{line}\n" for line in source.split("\n")]
    linecache.cache[file] = (len(source), None, lines, file)  # for the line in an error, and for `find_race`
    module = ModuleType(f"minicoord_learner_{abs(hash(file)):x}")
    module.__file__ = file
    sys.modules[module.__name__] = module  # dataclasses look there
    _running.append(file)
    try:
        with _importing_from(folder.resolve()):
            exec(compile(source, file, "exec", dont_inherit=True), module.__dict__)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # sys.exit, too
        return module.__dict__, error
    finally:
        _running.pop()
    return module.__dict__, None


def beside_in(folder: Path) -> frozenset[tuple[str, int]]:
    """Return name and time of the Python files that an answer in this folder may import."""
    found = set()
    for path in [*folder.glob("*.py"), *folder.glob("*/*.py")]:
        with contextlib.suppress(OSError):
            found.add((str(path.relative_to(folder)), path.stat().st_mtime_ns))
    return frozenset(found)


@contextlib.contextmanager
def _importing_from(folder: Path) -> Iterator[None]:
    """Let a text import the modules and packages of a folder, which are read anew the next time."""
    before, writes_no_bytecode = set(sys.modules), sys.dont_write_bytecode
    importlib.invalidate_caches()
    sys.path.insert(0, str(folder))
    # Bytecode goes by whole seconds: a helper saved twice within one would be read as it was.
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = writes_no_bytecode
        with contextlib.suppress(ValueError):
            sys.path.remove(str(folder))
        new = set(sys.modules) - before
        for name in [name for name in new if _is_in(folder, sys.modules.get(name.split(".")[0]))]:
            del sys.modules[name]


def _is_in(folder: Path, module: ModuleType | None) -> bool:
    """Whether a module or package lies in a folder itself, and not somewhere below it."""
    origin = getattr(module, "__file__", None)
    places = [origin] if origin else list(getattr(module, "__path__", []))
    paths = [Path(place).resolve() for place in places]
    return any(folder in ((p.parent.parent if p.name == "__init__.py" else p.parent), p.parent) for p in paths)
