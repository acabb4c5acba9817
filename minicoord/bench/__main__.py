"""``python -m minicoord.bench`` is ``minicoord bench``."""

import sys

from minicoord.app.cli import main

if __name__ == "__main__":
    sys.argv.insert(1, "bench")
    main()
