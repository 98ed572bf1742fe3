"""`python -m vela` is `vela`."""

from __future__ import annotations

from vela.cli.main import main

if __name__ == "__main__":
    main()
