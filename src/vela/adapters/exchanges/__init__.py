"""Venues."""

from __future__ import annotations

EXCHANGES = ("binance",)
"""Those that orders of real money can go to."""
