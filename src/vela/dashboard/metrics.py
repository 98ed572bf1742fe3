"""Figures for Prometheus, read from the projection when they are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily as Counter
from prometheus_client.core import GaugeMetricFamily as Gauge
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from vela.dashboard.projection import Projection


@dataclass(slots=True)
class PageCounts:
    """What the page counts of itself.

    Attributes:
        viewers: connected now.
        events: pushed to streams that somebody follows.
        refused_messages: of clients, malformed or too many.
        slow_viewers: disconnected because they did not keep up.
        handler_errors: bus messages that the page could not take.
        flush_errors: flushes that failed.
    """

    viewers: int = 0
    events: int = 0
    refused_messages: int = 0
    slow_viewers: int = 0
    handler_errors: int = 0
    flush_errors: int = 0


class PageCollector(Collector):
    """Turns projection and page counts into metrics."""

    def __init__(self, projection: Projection, counts: PageCounts) -> None:
        """Read from these two."""
        self._projection = projection
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics."""
        yield from self._market()
        yield from self._account()
        yield from self._services()
        yield from self._page()

    def _market(self) -> Iterator[Metric]:
        account = self._projection.account
        counts = account.counts
        yield Counter("vela_candles", "Closed candles taken.", counts.candles)
        yield Counter("vela_candles_missing", "Candles that the market or its feed never had.", counts.missing)
        refused = account.refused_candles
        yield _by("vela_candles_refused", "Candles refused.", "fault", refused.items())
        yield Counter("vela_decisions", "Decisions made.", counts.decisions)
        yield Counter("vela_signals", "Decisions that asked for a trade.", counts.signals)
        yield Gauge("vela_market_time_seconds", "The market's time.", account.time / 1000)

    def _account(self) -> Iterator[Metric]:
        account = self._projection.account
        counts, wallet = account.counts, account.wallet
        yield Counter("vela_orders", "Orders planned.", counts.orders)
        yield Counter("vela_fills", "Fills booked.", counts.fills)
        yield Counter("vela_trades", "Round trips closed.", counts.trades)
        yield Gauge("vela_open_positions", "Positions open.", len(account.holdings))
        yield Gauge("vela_equity", "Equity, in quote.", float(wallet.equity))
        yield Gauge("vela_cash", "Cash, in quote.", float(wallet.cash))
        yield Gauge("vela_realised_pnl", "Realised profit before fees, in quote.", float(wallet.realised_pnl))
        yield Gauge("vela_fees", "Fees paid, in quote.", float(wallet.fees))

    def _services(self) -> Iterator[Metric]:
        services = self._projection.account.services()
        up = Gauge("vela_service_up", "1 while the service runs.", labels=["service"])
        age = Gauge("vela_service_beat_age_seconds", "Since its last sign of life.", labels=["service"])
        restarts = Counter("vela_service_restarts", "Restarts after failures.", labels=["service"])
        for service in services:
            label = [service["service"]]
            up.add_metric(label, float(service["status"] == "running"))
            restarts.add_metric(label, service["restarts"])
            if service["beat_age_ms"] is not None:
                age.add_metric(label, service["beat_age_ms"] / 1000)
        yield from (up, age, restarts)
        yield _by("vela_alerts", "Alerts raised.", "level", self._projection.account.alerts.items())

    def _page(self) -> Iterator[Metric]:
        counts, streams = self._counts, self._projection.symbols.values()
        ticks, updates = sum(one.moves for one in streams), sum(one.updates for one in streams)
        yield Gauge("vela_page_viewers", "Browsers connected.", counts.viewers)
        yield Counter("vela_page_events", "Events pushed.", counts.events)
        yield Counter("vela_page_ticks", "Prices taken.", ticks)
        dropped = max(0, ticks - updates)
        yield Counter("vela_page_ticks_dropped", "Prices merged into newer ones, or watched by nobody.", dropped)
        yield Counter("vela_page_slow_viewers", "Browsers that did not keep up.", counts.slow_viewers)
        yield Counter("vela_page_refused_messages", "Client messages refused.", counts.refused_messages)
        errors = counts.handler_errors + counts.flush_errors
        yield Counter("vela_page_errors", "Failures inside the page.", errors)


def registry(projection: Projection, counts: PageCounts) -> CollectorRegistry:
    """Return a registry of its own that holds the page's metrics."""
    own = CollectorRegistry(auto_describe=False)
    own.register(PageCollector(projection, counts))
    return own


def _by(name: str, text: str, label: str, figures: Iterable[tuple[str, int]]) -> Counter:
    family = Counter(name, text, labels=[label])
    for value, count in figures:
        family.add_metric([value], count)
    return family
