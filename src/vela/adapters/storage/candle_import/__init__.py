"""Candles from files that others wrote: CSV, Parquet, exchanges' archives."""
