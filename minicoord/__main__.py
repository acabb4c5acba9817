"""``python -m minicoord`` does what the command ``minicoord`` does."""

from minicoord.app.cli import main

if __name__ == "__main__":
    main()
