"""Values and messages. No I/O, no clock, no randomness."""
