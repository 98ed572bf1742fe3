"""Commands. Each imports what it needs only when it runs, so that `vela --help` answers at once."""
