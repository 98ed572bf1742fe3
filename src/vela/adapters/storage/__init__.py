"""The record and the candle store."""
