"""Signals that end the command: all of them end it as Ctrl-C does."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any

ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class SignalInterrupt(KeyboardInterrupt):
    """A signal arrived that ends the command.

    Attributes
    ----------
    signal : int
        Its number.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.signal = number


@contextlib.contextmanager
def every_signal_like_ctrl_c() -> Iterator[None]:
    """Raise `SignalInterrupt` in the block when Ctrl-C, SIGTERM or SIGHUP arrives.

    From then on these signals are ignored, so that nothing interrupts the cleaning up at the end of the block. A signal
    that was ignored before, as SIGHUP is below nohup, stays ignored. Outside of the main thread this does nothing.
    """
    before: dict[int, Any] = {}

    def interrupt(number: int, frame: Any) -> None:
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        raise SignalInterrupt(number)

    if threading.current_thread() is threading.main_thread():
        before = {each: signal.getsignal(each) for each in ENDING if signal.getsignal(each) != signal.SIG_IGN}
        for each in before:
            signal.signal(each, interrupt)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, signal.SIG_DFL if handler is None else handler)
