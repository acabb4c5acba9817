"""``python -m minicoord.bench`` is ``minicoord bench``."""

import typer

from minicoord.bench.command import bench
from minicoord.system.console import never_fail_to_print

if __name__ == "__main__":
    never_fail_to_print()
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(bench)
    app(prog_name="python -m minicoord.bench")
