"""Where logs go: stderr, as short lines."""

from __future__ import annotations

import logging
import sys

import structlog


def set_up_logs(level: int = logging.WARNING) -> None:
    """Send structured logs from `level` up to stderr, tracebacks included where an unexpected error is logged."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
