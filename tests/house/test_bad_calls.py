"""Thousands of bad calls of everything public: each is refused in a sentence of minicoord's, or was not so bad."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from bad_calls import fault, no_kernel_runs, spoilt
from call_examples import every_call, missing, net
from careless_values import ENDLESS, ODD

from minicoord import SGD, get_threads, save_weights, set_threads
from minicoord.train.checkpoint import save_checkpoint

CALLS = every_call()
OF_A_FIGURE, OF_ANYTHING_ELSE = 6, 10
"""How many bad calls of each; a figure that is drawn after all takes a hundred times as long as anything else."""
TRAINS_ON = {("train", "steps"), ("train", "every")}
"""What says how long a training lasts: it takes any number."""


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let all calls happen in a folder of their own that holds weights and a checkpoint, and start no kernel."""
    before, threads = os.getcwd(), get_threads()
    os.chdir(tmp_path_factory.mktemp("calls"))
    save_weights("weights.npz", net())
    save_checkpoint("checkpoint.npz", net(), SGD(0.1), rng=np.random.default_rng(0))
    with no_kernel_runs():
        yield
    set_threads(threads)
    os.chdir(before)


@pytest.mark.compiled  # pure Python takes too long
def test_everything_public_has_an_example():
    assert missing() == [], "add a right call to tests/call_examples.py, or a figure to tests/plot_examples.py"
    count = sum(OF_A_FIGURE if name.startswith("plots.") else OF_ANYTHING_ELSE for name in CALLS)
    assert count >= 2000


@pytest.mark.parametrize("name", CALLS)
def test_a_bad_call_is_refused_in_a_sentence(name: str):
    call = CALLS[name]
    assert fault(call, call.arguments()) is None, "the example itself"
    if not call.arguments():
        return
    rng, faults = np.random.default_rng(zlib.crc32(name.encode())), []
    for _ in range(OF_A_FIGURE if name.startswith("plots.") else OF_ANYTHING_ELSE):
        arguments, words = spoilt(rng, call.arguments())
        found = fault(call, arguments)
        if found is not None:
            faults.append(f"{name}({words}): {found}")
    assert faults == []


@pytest.mark.parametrize("name", CALLS)
def test_a_careless_value_is_refused_in_a_short_sentence_at_every_argument(name: str):
    call, faults = CALLS[name], []
    for key in call.arguments():
        rng = np.random.default_rng(zlib.crc32(f"{name} {key}".encode()))
        few = name.startswith("plots.")
        kinds = [*rng.choice(list(ENDLESS), 1 if few else 2, False), *rng.choice(list(ODD), 1 if few else 5, False)]
        for kind in kinds if (name, key) not in TRAINS_ON else []:
            found = fault(call, call.arguments() | {key: {**ENDLESS, **ODD}[kind]()})
            if found is not None:
                faults.append(f"{name}({key}={kind}): {found}")
    assert faults == []


def test_planted_doors_are_told_apart():
    from call_examples import Call

    def careless(x: object) -> object:
        return x.shape  # type: ignore[attr-defined]

    assert "AttributeError" in str(fault(Call(careless, dict), {"x": 3}))
    assert fault(CALLS["relu"], {"x": 3}) is None
    assert fault(CALLS["relu"], {"x": np.ones(3)}) is None, "a kernel would run, which is as good as a result"
