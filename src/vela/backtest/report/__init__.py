"""What a backtest's result says to people: in words, and as one page."""
