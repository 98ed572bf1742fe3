"""Where the newest values lie."""
