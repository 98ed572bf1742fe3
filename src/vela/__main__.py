"""`python -m vela` is `vela`."""

from vela.cli.main import main

if __name__ == "__main__":
    main()
