"""Lets `python -m captchad` do what the `captchad` command does."""

from captchad.cli.main import main

if __name__ == "__main__":
    main()
