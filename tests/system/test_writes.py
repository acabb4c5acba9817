"""Every file is written through `minicoord.system.files`: a write of any other kind needs a reason in this list.

The sources are read, not run. What is looked for: opening for writing, the functions of NumPy, matplotlib, pathlib, os
and shutil that make, replace, rename or remove a file. Writing into what `write_atomically` or a buffer in memory gave
is fine.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [*sorted((ROOT / "minicoord").rglob("*.py")), ROOT / "lessons" / "build.py"]

REASONS = {
    "minicoord/system/files.py": {
        "open": "the temporary file; the empty file of a lock, after the same check",
        "os.replace": "the one rename that puts a file in place",
        "temporary.unlink": "of a write that failed",
        "Path(path).unlink": "remove_file, after the check",
    },
    "minicoord/system/console.py": {
        "os.open": "the null device, in place of an output that cannot be written",
        "open": "the same, in place of an output that was closed",
    },
    "minicoord/datasets/worlds/share_process.py": {"os.open": "the null device, in place of the pipe of the questions"},
    "minicoord/system/leftovers.py": {"path.unlink": "temporary files of dead processes"},
    "minicoord/app/lessons.py": {"target.rename": "a notebook, known to be a regular file, to a name known to be free"},
    "minicoord/bench/worker.py": {
        "open": "a switch of the system for this process, in /proc",
        "os.fdopen": "the pipe to the parent process",
    },
    "minicoord/learn/teaching/student_wheel.py": {"zipfile.ZipFile": "into the file that write_atomically opened"},
    "minicoord/learn/grading/child.py": {
        "temporary.write_text": "an answer for the parent process, in a folder made for this process",
        "os.replace": "the same",
    },
    "minicoord/learn/grading/exchange.py": {"np.save": "an array of such an answer"},
    "minicoord/learn/grading/guardian.py": {"os.open": "the null device, in place of the standard streams"},
    "minicoord/learn/grading/jobs.py": {
        "(folder / 'job.json').write_text": "into a new folder, which is removed at the end",
    },
    "minicoord/learn/grading/removal.py": {
        "os.rename": "a temporary folder of ours, and folders in it, into a new folder",
        "os.unlink": "what an answer made in that temporary folder",
    },
    "minicoord/learn/grading/snapshot.py": {
        "copy.write_bytes": "a copy of a submission, in a new folder, which is removed at the end",
        "target.write_bytes": "the same",
    },
    "minicoord/learn/submissions/progress.py": {
        "os.open": "makes a new file or fails, as a lock",
        "lock.unlink": "that lock",
        "path.replace": "a damaged file, known to be a regular one, set aside",
    },
    "minicoord/datasets/images/download.py": {
        "open": "what has come of a download so far, to which a later call adds the rest; after the same check",
        "os.replace": "what has come, once it is complete, to the name of the file; after the same check",
    },
    "minicoord/dropin/jax.py": {
        "conv.kernel.replace": "a parameter with another value, in memory",
        "conv.bias.replace": "the same",
    },
    "minicoord/experiments/frame/folder.py": {
        "os.replace": "files of a complete run, written by way of files.py, to their places",
    },
    "minicoord/experiments/frame/run.py": {
        "zipfile.ZipFile": "into the file of write_atomically, arrays of any names",
        "archive.open": "a member of that archive",
    },
}

OPENERS = {"open", "io.open", "codecs.open", "gzip.open", "bz2.open", "lzma.open", "tarfile.open", "os.fdopen"}
OPENERS |= {"zipfile.ZipFile", "ZipFile"}
READERS = {"tokenize.open", "Image.open", "webbrowser.open"}
WRITE_FLAGS = {"O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND"}
OF_A_MODULE = {
    "os": {"replace", "rename", "renames", "remove", "unlink", "link", "symlink", "mkfifo", "mknod", "truncate"},
    "shutil": {"copy", "copy2", "copyfile", "copytree", "move", "rmtree"},
}
OF_A_PATH = {"write_text", "write_bytes", "rename", "touch", "unlink", "symlink_to", "hardlink_to"}
INTO_A_FILE = {
    "savefig",
    "imsave",
    "savez",
    "savez_compressed",
    "savetxt",
    "tofile",
    "to_csv",
    "to_json",
    "open_memmap",
}


def writes(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and name of each call that writes by itself, such as ``(3, "np.save")``."""
    for scope in _scopes(ast.parse(source)):
        given = _given_files(scope)
        for node in scope:
            if isinstance(node, ast.Call) and _writes(node, given):
                yield node.lineno, ast.unparse(node.func)
            elif isinstance(node, ast.ImportFrom) and node.module in OF_A_MODULE:
                for alias in node.names:
                    if alias.name in OF_A_MODULE[node.module]:
                        yield node.lineno, f"{node.module}.{alias.name}"


def _scopes(function: ast.AST) -> Iterator[list[ast.AST]]:
    """Yield the nodes of a module or function without those of functions inside it, then those of each of these."""
    nodes, inside = [], []
    waiting = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        nodes.append(node)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            inside.append(node)
        else:
            waiting += ast.iter_child_nodes(node)
    yield nodes
    for node in inside:
        yield from _scopes(node)


def _given_files(scope: list[ast.AST]) -> set[str]:
    """Return the names that stand for a file of `write_atomically` or for a buffer in memory."""
    found = set()
    for node in scope:
        if isinstance(node, ast.withitem) and isinstance(node.optional_vars, ast.Name):
            if _called(node.context_expr) == "write_atomically":
                found.add(node.optional_vars.id)
        elif isinstance(node, ast.Assign) and _called(node.value) in ("io.BytesIO", "io.StringIO"):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found


def _called(node: ast.expr) -> str | None:
    return ast.unparse(node.func) if isinstance(node, ast.Call) else None


def _writes(call: ast.Call, given: set[str]) -> bool:
    name = ast.unparse(call.func)
    base, _, last = name.rpartition(".")
    if name in READERS:
        return False
    if name == "os.open":
        flags = call.args[1] if len(call.args) > 1 else None
        used = {node.attr for node in ast.walk(flags) if isinstance(node, ast.Attribute)} if flags else set()
        return not used or bool(used & WRITE_FLAGS)
    if name in OPENERS or last == "open":
        return _opens_for_writing(call, 1 if name in OPENERS else 0)
    if base in OF_A_MODULE:
        return last in OF_A_MODULE[base]
    if last == "replace":  # of a path it has one argument, of a text two, of a dataclass names
        return len(call.args) == 1 and not call.keywords
    numpys_save = last == "save" and base in ("np", "numpy")
    pictures_save = last == "save" and any(keyword.arg == "format" for keyword in call.keywords)
    if last in INTO_A_FILE or numpys_save or pictures_save:
        return not (call.args and isinstance(call.args[0], ast.Name) and call.args[0].id in given)
    return bool(base) and last in OF_A_PATH


def _opens_for_writing(call: ast.Call, position: int) -> bool:
    mode = next((keyword.value for keyword in call.keywords if keyword.arg == "mode"), None)
    if mode is None:
        if len(call.args) <= position:
            return False
        mode = call.args[position]
    if not (isinstance(mode, ast.Constant) and isinstance(mode.value, str)):
        return True  # nobody knows
    return bool(set(mode.value) & set("wax+"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_write_goes_through_files_or_has_a_reason(path: Path):
    reasons = REASONS.get(path.relative_to(ROOT).as_posix(), {})
    found = list(writes(path.read_text(encoding="utf-8")))
    without = [f"{path.relative_to(ROOT)}:{line}: {name}" for line, name in found if name not in reasons]
    assert without == [], "write it through minicoord.system.files, which replaces nothing but regular files"
    assert set(reasons) == {name for _, name in found}, "a reason without its write: take it out of the list"


def test_the_list_names_files_that_are_there():
    assert [name for name in REASONS if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize(
    "line",
    [
        "open(path, 'w')",
        "open(path, mode='ab')",
        "open(path, 'r+')",
        "open(path, mode)",
        "path.open('wb')",
        "path.open(mode)",
        "Path(folder, 'a').open(mode='x')",
        "os.open(path, os.O_WRONLY | os.O_CREAT)",
        "os.open(path, flags)",
        "os.fdopen(1, 'w')",
        "gzip.open(path, 'wt')",
        "zipfile.ZipFile(path, 'w')",
        "path.write_text('a')",
        "(folder / 'a').write_bytes(b'a')",
        "path.rename(other)",
        "path.replace(other)",
        "Path(folder).touch()",
        "path.unlink(missing_ok=True)",
        "os.replace(a, b)",
        "shutil.copy2(a, b)",
        "shutil.rmtree(a)",
        "from os import replace",
        "from shutil import move",
        "np.save(path, a)",
        "np.savez(path, a=a)",
        "np.savez_compressed(path / 'a.npz', **arrays)",
        "a.tofile(path)",
        "figure.savefig(path)",
        "figure.savefig(path, format='png')",
        "picture.save(path, format='png')",
        "table.to_csv(path)",
        "with open(path, 'w') as file: np.save(file, a)",
        "np.save(file, a)\n\ndef another(path):\n    with write_atomically(path) as file: np.save(file, a)",
    ],
)
def test_a_planted_write_is_found(line: str):
    found = list(writes(f"def function(path):\n    {line}\n"))
    assert {number for number, _ in found} == {2}


@pytest.mark.parametrize(
    "line",
    [
        "open(path)",
        "open(path, 'rb')",
        "open(path, encoding='utf-8')",
        "path.open()",
        "path.open('rb')",
        "tokenize.open(path)",
        "Image.open(io.BytesIO(data))",
        "os.open(path, os.O_RDONLY)",
        "text.replace('a', 'b')",
        "dataclasses.replace(settings, seed=1)",
        "path.read_text()",
        "model.save(path)",
        "shutil.copyfileobj(source, file)",
        "with write_atomically(path) as file: np.savez(file, a=a)",
        "with write_atomically(path) as file, path.open('rb') as source: figure.savefig(file, format='png')",
        "data = io.BytesIO(); figure.savefig(data)",
    ],
)
def test_what_only_reads_or_writes_into_a_given_file_is_not(line: str):
    assert list(writes(f"def function(path):\n    {line}\n")) == []
