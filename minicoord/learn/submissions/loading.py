"""Running the source of an answer in a module of its own, as Jupyter would run it."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import importlib
import inspect
import linecache
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from minicoord.learn.checking.undisturbed import undisturbed

NUMBA_DECORATORS = frozenset({"cfunc", "guvectorize", "jit", "njit", "vectorize"})

_running: list[str] = []


def is_loading() -> bool:
    """Whether the source of an answer is being run at this moment; meanwhile it must not load answers from files."""
    return bool(_running)


@lru_cache(maxsize=4)
def run_source(
    source: str, file: str, folder: Path, helpers: frozenset[tuple[str, int]], imports: str = ""
) -> tuple[dict[str, Any], BaseException | None]:
    """Run source code in a module of its own; return its names, and the exception that stopped it or None.

    The result is cached: a file with many answers runs once, until it or one of its `helpers` changes.

    Parameters
    ----------
    source, file : str
        The code, and the file name for it in error messages.
    folder : Path
        The folder whose files it may import.
    helpers : frozenset
        What `importable_files` returns.
    imports : str
        Import statements of other cells, which are run first.
    """
    lines = [f"{line}\n" for line in source.split("\n")]
    linecache.cache[file] = (len(source), None, lines, file)  # for the lines in error messages, and for `find_race`
    module = ModuleType(f"minicoord_learner_{abs(hash(file)):x}")
    module.__file__ = file
    module.__dict__.update(display=_display, get_ipython=_Silent, In=[""], Out={}, _="", __="", ___="")
    sys.modules[module.__name__] = module  # where dataclasses look it up
    _running.append(file)
    try:
        with undisturbed(), _importing_from(folder.resolve()):
            exec(imports, module.__dict__)
            _execute(source, file, module.__dict__)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # also sys.exit
        return module.__dict__, error
    finally:
        _running.pop()
    return module.__dict__, None


def _execute(source: str, file: str, names: dict[str, Any]) -> None:
    """Run source code; like a cell, it may use ``await`` outside of a function."""
    tree = _without_cache(ast.parse(source, file))
    code = compile(tree, file, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    result = eval(code, names)
    if inspect.iscoroutine(result):
        with ThreadPoolExecutor(1) as pool:  # the thread of a notebook has an event loop already
            pool.submit(asyncio.run, result).result()


def _without_cache(tree: ast.Module) -> ast.Module:
    """Replace ``@njit(cache=True)``: Numba's cache needs a file that exists, which a cell does not have."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for call in calls:
        if ast.unparse(call.func).split(".")[-1] in NUMBA_DECORATORS:
            call.keywords = [keyword for keyword in call.keywords if keyword.arg != "cache"]
    return tree


def _display(*objects: Any, **options: Any) -> None:
    """Stand for Jupyter's function of this name; show nothing."""


class _Silent:
    """Stands for what Jupyter's get_ipython() returns: everything can be called, and does nothing."""

    def __getattr__(self, name: str) -> _Silent:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *arguments: Any, **options: Any) -> _Silent:
        return self

    def __iter__(self) -> Iterator[Any]:  # lines that a shell command printed
        return iter(())

    def __getitem__(self, key: Any) -> _Silent:
        return self

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def __enter__(self) -> _Silent:
        return self

    def __exit__(self, *error: object) -> None:
        pass


def importable_files(folder: Path) -> frozenset[tuple[str, int]]:
    """Return the name and modification time of each Python file that an answer in this folder may import."""
    found = set()
    for path in [*folder.glob("*.py"), *folder.glob("*/*.py")]:
        with contextlib.suppress(OSError):
            found.add((str(path.relative_to(folder)), path.stat().st_mtime_ns))
    return frozenset(found)


@contextlib.contextmanager
def _importing_from(folder: Path) -> Iterator[None]:
    """Let code import the modules and packages of a folder, and read these again the next time."""
    before, writes_no_bytecode = set(sys.modules), sys.dont_write_bytecode
    importlib.invalidate_caches()
    sys.path.insert(0, str(folder))
    # Python dates bytecode to the second: a helper saved twice within one would not be compiled again.
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
    """Whether a module or package lies directly in a folder, rather than somewhere below it."""
    origin = getattr(module, "__file__", None)
    locations = [origin] if origin else list(getattr(module, "__path__", []))
    paths = [Path(location).resolve() for location in locations]
    return any(folder in ((p.parent.parent if p.name == "__init__.py" else p.parent), p.parent) for p in paths)
