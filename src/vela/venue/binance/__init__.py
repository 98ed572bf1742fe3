"""Binance Spot on the wire: REST, streams and WebSocket API, as far as ordinary clients use them."""
