"""The rules of trading, each once: pure, synchronous, time handed in. Live, paper, replay and backtest call these."""
