"""The past, traded by the engine's own rules, compiled."""
