"""What the page knows of the account, of the session and of backtests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from vela.dashboard.equity import EquityCurve
from vela.dashboard.facts import SessionFacts
from vela.dashboard.job_board import LISTED as JOBS_LISTED
from vela.dashboard.job_board import JobBoard
from vela.dashboard.newest import Newest
from vela.dashboard.shapes import PositionView, ServiceView, SessionView, SymbolSummary, WalletView
from vela.dashboard.stream import Event, Stream
from vela.dashboard.views import alert_view, fill_view, job_view, order_view, position_view, trade_view, wallet_view
from vela.domain.events import Alert, OrderFilled, PositionChanged, ServiceBeat
from vela.domain.money import ZERO
from vela.domain.order import Order
from vela.domain.position import Position, Trade, Wallet
from vela.domain.trading_symbol import TradingSymbol

LISTED = 200
EQUITY_POINTS = 2000
FILLS_REMEMBERED = 1000
ALERTS = 50


@dataclass(frozen=True, slots=True)
class Holding:
    """An open position and the levels that guard it."""

    position: Position
    stop_price: Decimal | None
    target_price: Decimal | None
    stop_state: str


@dataclass(slots=True)
class Counts:
    """What was counted, recorded figures included."""

    candles: int = 0
    missing: int = 0
    decisions: int = 0
    signals: int = 0
    orders: int = 0
    fills: int = 0
    trades: int = 0
    wins: int = 0


class AccountStream(Stream):
    """Wallet, positions, orders, trades, alerts, health, session, backtests.

    Fills, orders, trades and alerts are never merged or dropped.
    """

    def __init__(
        self,
        facts: SessionFacts,
        price_of: Callable[[TradingSymbol], float | None],
        summaries: Callable[[], list[SymbolSummary]],
    ) -> None:
        """Start with an untouched account; `price_of` and `summaries` ask the symbols' streams."""
        super().__init__("account")
        self.time = 0
        self.ended = False
        self.now = 0
        self.counts = Counts()
        self.refused_candles: Counter[str] = Counter()
        self.alerts: Counter[str] = Counter()  # by level
        capital = facts.initial_capital
        self.wallet = Wallet(facts.quote, 0, capital, capital, ZERO, ZERO, ZERO, ZERO, ZERO)
        self.holdings: dict[TradingSymbol, Holding] = {}
        self.beats: dict[str, ServiceBeat] = {}
        self.jobs = JobBoard()
        self._facts = facts
        self._price_of = price_of
        self._summaries = summaries
        self._equity = EquityCurve(EQUITY_POINTS, facts.timeframe.milliseconds)
        self._trades: Newest[tuple[TradingSymbol, int, int], Trade] = Newest(LISTED)
        self._orders: Newest[str, Order] = Newest(LISTED)
        self._fills: Newest[str, None] = Newest(FILLS_REMEMBERED)
        self._alerts: Newest[tuple[int, str, str], Alert] = Newest(ALERTS)
        self._news: list[Event] = []
        self._held: dict[TradingSymbol, PositionView | None] = {}
        self._shown: set[str] = set()
        self._outdated = False

    # ------------------------------------------------------------------------------------------------------ news

    def order(self, order: Order) -> None:
        """Take an order's new state; one that is older than what is known is ignored."""
        known = self._orders.get(order.client_order_id)
        if known is not None and (known.status.is_final or known.updated_time > order.updated_time):
            return
        if known is None:
            self.counts.orders += 1
        self._orders.put(order.client_order_id, order)
        self._news.append(("order_update", dict(order_view(order))))

    def fill(self, message: OrderFilled) -> bool:
        """Take a fill; False if it is known."""
        fill = message.fill
        if fill.fill_id in self._fills:
            return False
        self._fills.put(fill.fill_id, None)
        self.counts.fills += 1
        body = {**fill_view(fill), "purpose": message.purpose.value, "reason": message.reason}
        self._news.append(("fill", body))
        return True

    def recall_fill(self, fill_id: str) -> None:
        """Take a fill's id from the record."""
        self._fills.put(fill_id, None)

    def hold(self, message: PositionChanged) -> None:
        """Take an open position's new state."""
        self.holdings[message.position.symbol] = Holding(
            message.position, message.stop_price, message.target_price, message.stop_state
        )
        self._held[message.position.symbol] = None

    def recall_holding(self, holding: Holding) -> None:
        """Take an open position from the record."""
        self.holdings[holding.position.symbol] = holding

    def closed(self, trade: Trade) -> None:
        """Take a round trip that ended."""
        if self.recall_trade(trade):
            self.counts.trades += 1
            self.counts.wins += trade.pnl > 0
            self._shown.add("wallet_update")
            self._news.append(("trade", dict(trade_view(trade))))
        holding = self.holdings.get(trade.symbol)
        # A position opened since then is another one.
        if holding is not None and holding.position.entry_time <= trade.exit_time:
            self._held[trade.symbol] = self._position(holding)
            del self.holdings[trade.symbol]

    def recall_trade(self, trade: Trade) -> bool:
        """Take a round trip from the record; False if it is known."""
        key = (trade.symbol, trade.entry_time, trade.exit_time)
        if key in self._trades:
            return False
        self._trades.put(key, trade)
        return True

    def recall_order(self, order: Order) -> None:
        """Take an order from the record."""
        self._orders.put(order.client_order_id, order)

    def recall_point(self, time: int, equity: float) -> None:
        """Take a point of the equity curve from the record."""
        self._equity.add(time, equity)

    def mark(self, wallet: Wallet) -> None:
        """Take the account's new state; one that is older than what is known is ignored."""
        if wallet.time < self.wallet.time:
            return
        self.wallet = wallet
        self._equity.add(wallet.time, float(wallet.equity))
        self._shown.add("wallet_update")

    def alert(self, alert: Alert) -> None:
        """Take a warning; the same one of the same moment is known."""
        key = (alert.time, alert.level, alert.text)
        if key not in self._alerts:
            self._alerts.put(key, alert)
            self.alerts[alert.level] += 1
            self._news.append(("alert", dict(alert_view(alert))))

    def beat(self, beat: ServiceBeat) -> None:
        """Take a sign of life."""
        known = self.beats.get(beat.service)
        self.beats[beat.service] = beat
        if known is None or (known.state, known.restarts, known.detail) != (beat.state, beat.restarts, beat.detail):
            self._shown.add("health")

    def end(self) -> None:
        """Take the end of the recording."""
        self.ended = True
        self._shown.add("session")

    def show(self, *events: str) -> None:
        """Send `session` or `health` with the next flush, and what newer prices make of open positions."""
        self._shown.update(events)
        for symbol in self.holdings:
            self._held[symbol] = None

    def outdate(self) -> None:
        """Make whoever follows ask for the snapshot again."""
        self._outdated = True

    # ---------------------------------------------------------------------------------------------------- shapes

    def services(self) -> list[ServiceView]:
        """Return every service's health as of `now`, which the clock's owner sets."""
        # Several of a kind beat under names of their own, such as brain-1-of-2.
        awaited = [name for name in self._facts.services if not any(_is_one_of(name, beat) for beat in self.beats)]
        return [*map(self._awaited, awaited), *map(self._service, self.beats.values())]

    def _awaited(self, name: str) -> ServiceView:
        return {"service": name, "status": "starting", "beat_age_ms": None, "restarts": 0, "detail": ""}

    def _service(self, beat: ServiceBeat) -> ServiceView:
        return {
            "service": beat.service,
            "status": beat.state.value,
            "beat_age_ms": max(0, self.now - beat.time),
            "restarts": beat.restarts,
            "detail": beat.detail,
        }

    def session(self) -> SessionView:
        """Return what runs, and how far it is."""
        facts = self._facts
        return {
            "version": facts.version,
            "mode": facts.mode,
            "market": facts.market,
            "timeframe": facts.timeframe.value,
            "timeframe_ms": facts.timeframe.milliseconds,
            "speed": facts.speed,
            "time": self.time,
            "ended": self.ended,
            "candles": self.counts.candles,
            "decisions": self.counts.decisions,
            "refused_candles": dict(self.refused_candles),
            "settings": dict(facts.settings),
        }

    def _wallet(self) -> WalletView:
        return wallet_view(self.wallet, self.counts.trades, self.counts.wins)

    def _position(self, holding: Holding) -> PositionView:
        price = self._price_of(holding.position.symbol)
        return position_view(holding.position, holding.stop_price, holding.target_price, holding.stop_state, price)

    def _is_changed(self) -> bool:
        return bool(self._news or self._held or self._shown or self._outdated or self.jobs.is_changed)

    def _needs_snapshot(self) -> bool:
        return self._outdated

    def _changes(self) -> list[Event]:
        events = list(self._news)
        for symbol, last in self._held.items():
            holding = self.holdings.get(symbol)
            if holding is not None:
                events.append(("position_update", dict(self._position(holding))))
            elif last is not None:
                events.append(("position_update", {**last, "closed": True}))
        events += self.jobs.changes()
        return events + [(event, self._shown_body(event)) for event in sorted(self._shown)]

    def _shown_body(self, event: str) -> dict[str, Any]:
        if event == "wallet_update":
            return {**self._wallet(), "point": (self.wallet.time, float(self.wallet.equity))}
        return dict(self.session()) if event == "session" else {"services": self.services()}

    def _forget(self) -> None:
        self._news.clear()
        self._held.clear()
        self._shown.clear()
        self._outdated = False
        self.jobs.forget()

    def _state(self) -> dict[str, Any]:
        return {
            "session": self.session(),
            "symbols": self._summaries(),
            "wallet": self._wallet(),
            "equity_curve": self._equity.points(),
            "positions": [self._position(holding) for holding in self.holdings.values()],
            "trades": [trade_view(trade) for trade in self._trades],
            "orders": [order_view(order) for order in self._orders],
            "health": self.services(),
            "alerts": [alert_view(alert) for alert in self._alerts],
            "jobs": [job_view(job) for job in self.jobs.newest()[:JOBS_LISTED]],
        }


def _is_one_of(kind: str, service: str) -> bool:
    return service == kind or service.startswith(f"{kind}-")
