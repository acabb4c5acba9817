"""The option ``--work``, which pytest must know before it reads its command line.

The wheel contains a second copy of this file, ``_minicoord_pytest`` beside the package, and registers that copy as a
plugin. So a run of pytest that has nothing to do with the course imports nothing from minicoord, and a checkout can be
tested where another copy of minicoord is installed. The tests themselves are in ``test_your_work.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

NAME = "minicoord-learn"
TESTS = "test_your_work.py"
ADVICE = (
    "minicoord: found no answers to test. Name the folder of your files with --work DIR. For a file to start with: "
    "minicoord learn start 0"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    group = parser.getgroup("minicoord")
    group.addoption("--work", metavar="DIR", help="your folder, file or notebook with answers to minicoord's exercises")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Check the few answers of one learner in this process, also where pytest-xdist is told to start several."""
    if config.getoption("work", None) is not None and hasattr(config.option, "numprocesses"):
        config.option.numprocesses, config.option.dist = 0, "no"


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a folder that does not exist."""
    work = config.getoption("work", None)
    if work is not None and not (config.invocation_params.dir / work).exists():
        raise pytest.UsageError(f"--work {work}: no such file or folder")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Collect only the tests of a learner's work where these are asked for, and leave them out everywhere else."""
    if config.getoption("work", None) is not None:
        return True if collection_path.is_file() and collection_path.name != TESTS else None
    asked = any(word in str(argument) for argument in config.args for word in ("learner", "minicoord.learn", TESTS))
    return True if collection_path.name == TESTS and not asked else None


@pytest.hookimpl(hookwrapper=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    """Keep the test that reports unreadable files where ``-k`` selects some exercises.

    The answers to the selected exercises may be in such a file, and would otherwise be missing without notice.
    """
    of_files = [item for item in items if TESTS in item.nodeid and "test_your_files" in item.nodeid]
    yield
    work = config.getoption("work", None)
    if work is not None and of_files and items and of_files[0] not in items:
        from minicoord.learn.submissions.submission import read_submission

        if read_submission(config.invocation_params.dir / work).problems:
            items += of_files


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what to do if no answers were found."""
    reports = [report for kind in ("passed", "failed", "skipped") for report in terminalreporter.stats.get(kind, [])]
    ours = [report for report in reports if TESTS in report.nodeid]
    if ours and all(report.skipped and "no answer" in str(report.longrepr) for report in ours):
        terminalreporter.write_line(ADVICE)
