"""The dashboard service: shows on the page what the others publish. It never trades and never blocks."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import structlog
from anyio import to_thread
from starlette.types import ASGIApp

from vela.dashboard.app import STATIC, Sources, build_app
from vela.dashboard.auth import LoginTokens
from vela.dashboard.facts import CandleHistory, ReaderFactory, SessionFacts, Workshop
from vela.dashboard.gate import Hosts
from vela.dashboard.loading import load, recall
from vela.dashboard.metrics import PageCounts
from vela.dashboard.projection import CANDLES, Projection
from vela.dashboard.server import PageServer, bind
from vela.dashboard.viewers import Viewers
from vela.domain.events import Envelope, Topic
from vela.ports.bus import Bus
from vela.ports.clock import Clock
from vela.ports.latest_values import LatestValues
from vela.services.service import Service

TOPICS = (
    Topic.CANDLES,
    Topic.TICKERS,
    Topic.REGIMES,
    Topic.SIGNALS,
    Topic.DECISIONS,
    Topic.ORDERS,
    Topic.FILLS,
    Topic.POSITIONS,
    Topic.WALLET,
    Topic.ALERTS,
    Topic.HEALTH,
    Topic.JOBS,
)
FLUSH_SECONDS = 0.1
REFRESH_SECONDS = 1.0
# A frame costs 10 to 20 µs until it is on the wire: many viewers of many symbols get fewer updates a second each.
FRAMES_PER_SECOND = 10_000
_QUERY_THREADS = 4

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PageSettings:
    """Where the page is served.

    Attributes:
        data_directory: where the login's secret and tokens lie.
        host: address to bind; others than loopback make the page reachable for others (who still have to log in).
        port: 0 for any free one.
        allowed_hosts: further names that requests may use, as behind a reverse proxy.
        static: the built page.
        candles: how many of the newest are kept of each symbol.
    """

    data_directory: Path
    host: str = "127.0.0.1"
    port: int = 5000
    allowed_hosts: tuple[str, ...] = ()
    static: Path = STATIC
    candles: int = CANDLES


class DashboardService(Service):
    """Serves the page until cancelled. What goes wrong in here is logged and counted, and reaches nobody else."""

    name = "dashboard"

    def __init__(
        self,
        bus: Bus,
        wall_clock: Clock,
        *,
        reader: ReaderFactory,
        history: CandleHistory,
        facts: SessionFacts,
        settings: PageSettings,
        workshop: Workshop,
        latest: LatestValues | None = None,
    ) -> None:
        """Take what the page needs, and begin to collect messages.

        Args:
            bus: where messages come from.
            wall_clock: times beats, logins and the age of beats.
            reader: opens the record; its result may be used from several threads.
            history: the candle histories; may block, and may be called from several threads.
            facts: what does not change while the session runs.
            settings: where to serve.
            workshop: where backtests are asked for.
            latest: the newest word on each symbol; None: nobody writes it down.
        """
        super().__init__(bus, wall_clock)
        self._reader = reader
        self._history = history
        self._settings = settings
        self._workshop = workshop
        self._latest = latest
        self._counts = PageCounts()
        self._projection = Projection(facts, settings.candles)
        self._viewers = Viewers(self._projection, self._counts)
        self._tokens: LoginTokens | None = None
        self._server: PageServer | None = None
        self.port = settings.port
        # Before the record is read: what happens meanwhile waits, and what is known by then changes nothing.
        bus.subscribe(self.name, *TOPICS)

    async def start(self) -> None:
        """Load what is recorded and take the port.

        Raises:
            ConfigurationError: the port is in use, or the data directory cannot be used.
            StorageError: the record cannot be read.
        """
        try:
            self._tokens = LoginTokens(self._settings.data_directory, self.wall_clock.now)
            bound = bind(self._settings.host, self._settings.port)
            self.port = bound.getsockname()[1]
            self._server = PageServer(self._build_app(self._tokens), bound)
            await asyncio.to_thread(self._load)
            if self._latest is not None:
                recall(self._projection, await self._latest.snapshot(tuple(self._projection.symbols)))
            for job in await self._workshop.store.jobs():
                self._projection.account.jobs.recall(job)
        except BaseException:
            # Nobody will take what is collected, and a full queue would make those wait who trade.
            self.bus.unsubscribe(self.name)
            await self.stop()
            raise

    def first_start_link(self) -> str | None:
        """Return the link to print at a first start, or None where a link was used before. Call it after `start`."""
        return None if self._tokens is None else self._tokens.first_start_link(self._settings.host, self.port)

    async def work(self) -> None:
        """Serve and follow the bus until cancelled."""
        if self._server is None:
            raise RuntimeError("start comes before work")
        # Queries share the processor with trading: a few at a time.
        to_thread.current_default_thread_limiter().total_tokens = _QUERY_THREADS
        serving = asyncio.create_task(self._server.run_until_stopped())
        following = [
            asyncio.create_task(self._push()),
            asyncio.create_task(self.bus.consume(self.name, self._handle)),
        ]
        try:
            done, _ = await asyncio.wait([serving, *following], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in following:
                task.cancel()
            await self._viewers.close()
            self._server.stop()
            await asyncio.gather(serving, *following, return_exceptions=True)

    async def stop(self) -> None:
        """Give the port back."""
        if self._server is not None:
            self._server.close()

    def _build_app(self, tokens: LoginTokens) -> ASGIApp:
        sources = Sources(
            projection=self._projection,
            viewers=self._viewers,
            counts=self._counts,
            reader=self._reader,
            history=self._history,
            tokens=tokens,
            now=self.wall_clock.now,
            workshop=self._workshop,
        )
        return build_app(sources, Hosts(self._settings.host, self._settings.allowed_hosts), self._settings.static)

    def _load(self) -> None:
        load(self._projection, self._reader(), self._history, self._settings.candles)

    async def _handle(self, envelope: Envelope) -> None:
        try:
            self._projection.apply(envelope)
        except Exception:  # noqa: BLE001  a message that cannot be shown must not stop the others
            self._counts.handler_errors += 1
            _log.exception("page.message_failed", message=type(envelope.message).__name__)

    async def _push(self) -> None:
        loop = asyncio.get_running_loop()
        refreshed = 0.0
        while True:
            frames = 0
            try:
                if loop.time() - refreshed >= REFRESH_SECONDS:
                    refreshed = loop.time()
                    self._projection.refresh(self.wall_clock.now())
                frames = await self._viewers.flush()
            except Exception:  # noqa: BLE001  the next flush may succeed
                self._counts.flush_errors += 1
                _log.exception("page.flush_failed")
            await asyncio.sleep(max(FLUSH_SECONDS, frames / FRAMES_PER_SECOND))
