"""JSON shapes of the page's protocol (docs/page-protocol.md)."""

from __future__ import annotations

from typing_extensions import TypedDict  # Python 3.11's own is refused by pydantic

from vela.dashboard.facts import SettingValue
from vela.domain.jobs import Figure

CandleRow = tuple[int, float, float, float, float, float]
Point = tuple[int, float]


class SymbolName(TypedDict):
    """A symbol."""

    base: str
    quote: str
    full: str


class SymbolSummary(TypedDict):
    """A line of the list of symbols. `change_pct`: against 24 hours ago, or the oldest price known if that is less."""

    symbol: SymbolName
    price: float | None
    change_pct: float | None
    regime: str
    strategy: str
    spark: list[float]


class SessionView(TypedDict):
    """What runs, and how far it is."""

    version: str
    mode: str
    market: str
    timeframe: str
    timeframe_ms: int
    speed: str
    time: int
    ended: bool
    candles: int
    decisions: int
    refused_candles: dict[str, int]
    settings: dict[str, SettingValue]


class WalletView(TypedDict):
    """The account, in quote. `trades`: round trips closed in its whole life; `wins`: those with a profit after fees."""

    quote: str
    time: int
    initial_capital: str
    cash: str
    free: str
    equity: str
    realised_pnl: str
    unrealised_pnl: str
    fees: str
    trades: int
    wins: int


class PositionView(TypedDict):
    """An open position; `price` and what follows from it are as of the newest price.

    `stop_state`: `none` (none wanted), `planned` (on its way), `resting` (at the exchange), `guarded` (watched here),
    `stranded` (nothing can be done: the symbol is not listed any more).
    """

    symbol: SymbolName
    side: str
    quantity: str
    entry_price: str
    entry_time: int
    cost: str
    price: float | None
    stop_price: str | None
    stop_state: str
    take_profit_price: str | None
    unrealised_pnl: str
    unrealised_pct: float | None
    strategy: str


class TradeView(TypedDict):
    """A closed round trip."""

    symbol: SymbolName
    side: str
    entry_time: int
    entry_price: str
    exit_time: int
    exit_price: str
    quantity: str
    fees: str
    pnl: str
    return_pct: float
    entry_reason: str
    exit_reason: str
    regime: str


class OrderView(TypedDict):
    """An order; `time` is that of the intent."""

    client_order_id: str
    symbol: SymbolName
    side: str
    type: str
    purpose: str
    status: str
    quantity: str
    filled_quantity: str
    price: str | None
    stop_price: str | None
    average_price: str | None
    time: int
    reason: str


class FillView(TypedDict):
    """An execution."""

    fill_id: str
    client_order_id: str
    symbol: SymbolName
    side: str
    price: str
    quantity: str
    fee: str
    fee_asset: str
    time: int


class DecisionView(TypedDict):
    """A decision; `time` is the close of its candle.

    `outcome`: `order` or `refused`, once its signal was handled; then `outcome_reason` says why it was refused.
    """

    symbol: SymbolName
    time: int
    candle_time: int
    action: str
    strategy: str
    regime: str
    confidence: float
    reason: str
    indicators: dict[str, float]
    outcome: str | None
    outcome_reason: str


class MarkerView(TypedDict):
    """An arrow on the chart."""

    time: int
    kind: str
    side: str
    price: str
    reason: str


class ServiceView(TypedDict):
    """A service's health."""

    service: str
    status: str
    beat_age_ms: int | None
    restarts: int
    detail: str


class AlertView(TypedDict):
    """Something a person should know. `level`: `info`, `warning` or `critical`."""

    time: int
    level: str
    text: str


# Names that Python keeps for itself.
_Window = TypedDict("_Window", {"from": int | None, "to": int | None})


class JobView(_Window):
    """A backtest and how far it has come; `summary`: figures of its result, `error`: why it failed.

    `state`: `queued`, `running`, `done`, `failed`, `cancelled`; `stage`, while it runs: `reading`, `compiling`,
    `trading`, `reporting`; `progress`: 0 to 1. What was not asked for is empty or null.
    """

    id: str
    strategy: str
    parameters: dict[str, str]
    symbols: list[SymbolName]
    timeframe: str | None
    rules: dict[str, str]
    created: int
    state: str
    stage: str
    progress: float
    started: int | None
    finished: int | None
    summary: dict[str, Figure] | None
    error: str


class ParameterView(TypedDict):
    """A strategy's parameter; both ends of its range are included. All three are whole, or any numbers."""

    default: int | float
    low: int | float
    high: int | float


class StrategyView(TypedDict):
    """A strategy; `what`: the first line of its documentation, `suits`: the regimes that it is made for."""

    name: str
    what: str
    shipped: bool
    suits: list[str]
    parameters: dict[str, ParameterView]


class StrategiesView(TypedDict):
    """All strategies; `problem`: why the user's own are missing, or empty."""

    strategies: list[StrategyView]
    problem: str


class SeriesView(TypedDict):
    """Candles that are stored; `first`, `last`: their open times, `missing`: how many are absent between them."""

    exchange: str
    symbol: SymbolName
    timeframe: str
    first: int
    last: int
    count: int
    missing: int


class HealthView(TypedDict):
    """Health of all services."""

    status: str
    services: list[ServiceView]


class SummaryView(TypedDict):
    """A run in figures."""

    candles: int
    decisions: int
    signals: int
    orders: int
    fills: int
    trades: int
    open_positions: int
    refused: dict[str, int]
    refused_candles: dict[str, int]
    missing_candles: int
    initial_capital: str
    final_equity: str
    realised_pnl: str
    fees: str


class AccountSnapshot(TypedDict):
    """The account's stream so far."""

    stream: str
    seq: int
    session: SessionView
    symbols: list[SymbolSummary]
    wallet: WalletView
    equity_curve: list[Point]
    positions: list[PositionView]
    trades: list[TradeView]
    orders: list[OrderView]
    health: list[ServiceView]
    alerts: list[AlertView]
    jobs: list[JobView]


class SymbolSnapshot(TypedDict):
    """A symbol's stream so far."""

    stream: str
    seq: int
    symbol: SymbolName
    strategy: str
    regime: str
    tick: str
    candles: list[CandleRow]
    forming: CandleRow | None
    markers: list[MarkerView]
    series: dict[str, list[float | None]]
    decisions: list[DecisionView]


class ErrorView(TypedDict):
    """What was wrong with a request, and what is accepted."""

    error: str
    accepted: str
