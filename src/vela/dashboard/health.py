"""One word for the state of all services."""

from __future__ import annotations

from vela.dashboard.shapes import HealthView, ServiceView

LATE_MS = 30_000
LOST_MS = 120_000


def health(services: list[ServiceView], *, ended: bool) -> HealthView:
    """Judge all services: the worst one counts.

    A service is down when it failed or gave no sign of life for two minutes; it degrades the whole while it starts,
    once it stopped (unless the session `ended`), or after half a minute without a sign.
    """
    words = [_word(service, ended=ended) for service in services]
    worst = max(words, key=("ok", "degraded", "down").index, default="ok")
    return {"status": worst, "services": services}


def _word(service: ServiceView, *, ended: bool) -> str:
    status, age = service["status"], service["beat_age_ms"] or 0
    if status == "stopped":
        return "ok" if ended else "degraded"
    if status == "failed" or age > LOST_MS:
        return "down"
    return "ok" if status == "running" and age <= LATE_MS else "degraded"
