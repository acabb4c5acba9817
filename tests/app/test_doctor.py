"""The doctor: each illness is named with its advice, and a missing library is a finding and not an error."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from minicoord.app import doctor as doctor_module
from minicoord.app.doctor import Finding, doctor
from minicoord.system.environment import EnvironmentVariableError

ROOT = Path(__file__).resolve().parents[2]


def finding(name: str) -> Finding:
    return next(f for f in doctor(run_kernels=False) if f.name == name)


def in_new_process(name: str, **environment: str) -> str:
    """The finding's status, what and advice on one line, from a process with these environment variables."""
    code = (
        "from minicoord.app.doctor import doctor\n"
        f"f = next(f for f in doctor(run_kernels=False) if f.name == {name!r})\n"
        "print(f.status, f.what, f.advice, sep=' | ')"
    )
    env = {**os.environ, **environment}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    return done.stdout


def test_this_environment_has_no_problem_and_every_finding_says_something():
    findings = doctor()
    assert [f for f in findings if f.status == "problem"] == []
    for f in findings:
        assert f.what
        assert "\n" not in f.what + f.advice
        assert f.status == "ok" or f.advice


@pytest.mark.parametrize("missing", ["numba", "llvmlite"])
def test_a_missing_library_is_a_finding(missing):
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"  # so that importing it raises ImportError
        "from minicoord.app.doctor import doctor\n"
        "for f in doctor(run_kernels=False):\n"
        "    if f.status == 'problem': print(f.name, f.what, f.advice, sep=' | ')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    problems = [line.split(" | ") for line in done.stdout.splitlines()]
    assert any(missing in what for _, what, _ in problems)
    assert all(advice for _, _, advice in problems)


def test_boundscheck_is_a_problem(monkeypatch):
    monkeypatch.setenv("NUMBA_BOUNDSCHECK", "1")
    assert finding("NUMBA_BOUNDSCHECK").status == "problem"
    monkeypatch.setenv("NUMBA_BOUNDSCHECK", "0")
    assert finding("NUMBA_BOUNDSCHECK").status == "ok"


def test_disabled_jit_is_a_note():
    assert in_new_process("NUMBA_DISABLE_JIT", NUMBA_DISABLE_JIT="1").startswith("note | set")
    assert in_new_process("cache of compiled kernels", NUMBA_DISABLE_JIT="1").startswith("ok | not needed")


def test_the_cache_folder_of_the_user_is_named(tmp_path):
    answer = in_new_process("cache of compiled kernels", NUMBA_CACHE_DIR=str(tmp_path), NUMBA_DISABLE_JIT="0")
    assert answer.startswith(f"ok | {tmp_path}")
    file = tmp_path / "file"
    file.write_text("")
    answer = in_new_process("cache of compiled kernels", NUMBA_CACHE_DIR=str(file), NUMBA_DISABLE_JIT="0")
    assert answer.startswith("note | ")
    assert f"{file} (NUMBA_CACHE_DIR) is not writable" in answer


def test_a_cache_that_cannot_be_kept_is_noted(monkeypatch):
    import numba
    from numba.core.dispatcher import Dispatcher

    monkeypatch.setattr(numba, "config", SimpleNamespace(DISABLE_JIT=0))
    monkeypatch.setattr(Dispatcher, "stats", property(lambda self: SimpleNamespace(cache_path=None)))
    answer = finding("cache of compiled kernels")
    assert answer.status == "note"
    assert "compiles the kernels again" in answer.what


def test_a_threading_layer_of_the_user_is_named():
    answer = in_new_process("threading layer", NUMBA_THREADING_LAYER="omp")
    assert answer.startswith("note | omp")
    assert "OMP_WAIT_POLICY" in answer
    assert in_new_process("threading layer", NUMBA_THREADING_LAYER="workqueue").startswith("note | workqueue")


def test_a_purpose_of_the_user_is_named_with_the_layer_that_serves_it():
    answer = in_new_process("threading layer", NUMBA_THREADING_LAYER="forksafe")
    assert re.match(r"(ok \| tbb|note \| workqueue|note \| omp), for NUMBA_THREADING_LAYER=forksafe", answer)


def test_a_layer_that_cannot_be_loaded_is_a_problem_in_one_sentence(monkeypatch):
    sentence = "NUMBA_THREADING_LAYER is 'safe', but tbb cannot be loaded here; unset it, or `pip install tbb`"

    def refuse():
        raise EnvironmentVariableError(sentence)

    monkeypatch.setattr(doctor_module, "_threading_layer", refuse)
    answer = finding("threading layer")
    assert (answer.status, answer.what) == ("problem", sentence)
    assert answer.advice


def test_a_machine_without_tbb_has_a_note_with_the_remedy(monkeypatch):
    from minicoord.kernels.backend import runtime, threading_layer

    monkeypatch.delenv("NUMBA_THREADING_LAYER", raising=False)
    monkeypatch.setattr(runtime, "LAYER", "workqueue")
    monkeypatch.setattr(threading_layer, "find_tbb", lambda: None)
    monkeypatch.setattr(doctor_module.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(sys, "platform", "linux")
    assert "pip install tbb" in finding("threading layer").advice
    monkeypatch.setattr(doctor_module.platform, "machine", lambda: "aarch64")
    assert finding("threading layer").status == "ok"
    monkeypatch.setattr(threading_layer, "find_tbb", lambda: Path("/somewhere/libtbb.so.12"))
    assert "cannot be loaded" in finding("threading layer").what


def test_too_many_threads_are_noted():
    answer = in_new_process("threads", NUMBA_NUM_THREADS="4096")
    assert answer.startswith("note | 4096 threads, as NUMBA_NUM_THREADS says")


@pytest.mark.parametrize(
    "features, machine, wanted",
    [
        ("+avx2,+avx512f,+fma", "x86_64", "AVX-512, 16 numbers of float32, fused multiply-add"),
        ("+avx2,+fma", "AMD64", "AVX2, 8 numbers of float32, fused multiply-add"),
        ("", "x86_64", "SSE2, 4 numbers of float32, multiplication and addition apart"),
        ("+neon", "arm64", "NEON, 4 numbers of float32, fused multiply-add"),
        ("", "riscv64", "vectors of 16 bytes, 4 numbers of float32, multiplication and addition apart"),
    ],
)
def test_the_vectors_of_the_processor_are_named(features, machine, wanted, monkeypatch):
    from minicoord.kernels.backend import vectors

    for name in ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(vectors, "HERE", vectors.processor(features, machine))
    monkeypatch.setattr(doctor_module.platform, "machine", lambda: machine)
    answer = finding("vectors")
    assert (answer.status, answer.what) == ("ok", wanted)


def test_vectors_that_the_user_chose_are_noted():
    answer = in_new_process("vectors", NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="")
    assert answer.startswith("note | ")
    assert "for NUMBA_CPU_NAME and NUMBA_CPU_FEATURES | unset NUMBA_CPU_NAME" in answer


def test_little_memory_is_noted(monkeypatch):
    for free, status in ((2**29, "note"), (2**35, "ok"), (None, "ok")):
        monkeypatch.setattr(doctor_module, "_free_memory", lambda free=free: free)
        assert finding("memory").status == status


def test_a_missing_extra_is_a_note(monkeypatch):
    monkeypatch.setattr(doctor_module, "_EXTRAS", {"bench": ("no_such_module_anywhere",)})
    answer = finding("extra bench")
    assert answer.status == "note"
    assert "no_such_module_anywhere" in answer.what


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import os; os.abort()", "failed"),
        ("raise OSError('no thread pool')", "no thread pool"),
        ("print(0.5)", "differs from the oracle by 5.0e-01"),
        ("print('nan')", "differs from the oracle by nan"),
    ],
)
def test_kernels_that_crash_or_miscount_are_a_problem(monkeypatch, code, words):
    monkeypatch.setattr(doctor_module, "_CONVOLUTION_AGAINST_ORACLE", code)
    answer = next(f for f in doctor() if f.name == "convolution")
    assert answer.status == "problem"
    assert words in answer.what
