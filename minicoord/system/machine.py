"""What a result depends on besides its settings: the processor, the system and the versions of libraries."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version

import minicoord


@cache
def _facts() -> tuple[tuple[str, str], ...]:
    from llvmlite.binding import get_host_cpu_name

    versions = {name: _version(name) for name in ("numpy", "numba", "llvmlite")}
    return tuple(
        {
            "minicoord": minicoord.__version__,
            "python": platform.python_version(),
            **versions,
            "system": platform.system(),
            "architecture": platform.machine(),
            "processor": get_host_cpu_name(),
        }.items()
    )


def machine_facts() -> dict[str, str]:
    """Return the facts about this machine that can change the last bits of a result, as strings.

    Examples
    --------
    >>> sorted(machine_facts())
    ['architecture', 'llvmlite', 'minicoord', 'numba', 'numpy', 'processor', 'python', 'system']
    """
    return dict(_facts())


def processor_name() -> str:
    """Return the model name of the processor, such as ``"AMD EPYC"``; where it is unknown, the name of its family."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = (line.partition(":")[2].strip() for line in file if line.startswith("model name"))
            return next(names, "") or platform.processor() or platform.machine()
    except OSError:
        return platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
