"""What every exchange that is reached through ccxt shares."""
