"""Binance Spot: what is its own beyond `unified`."""
