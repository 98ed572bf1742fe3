"""Settings and wiring, the only place that names adapters."""
