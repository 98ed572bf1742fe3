"""Protocols by which the inside speaks to the outside."""
