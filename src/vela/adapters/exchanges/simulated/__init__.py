"""The simulated venue inside the process: candles from a model or a recording, and an account kept in a file."""
