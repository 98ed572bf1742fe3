"""What a backtest brought, in exact money; worked out from the loop's numbers when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cached_property

import msgspec
import numpy as np
from numpy.typing import NDArray

from vela.analysis.tear_sheet import TearSheet, tear_sheet
from vela.backtest.prepare import Prepared
from vela.backtest.provenance import Provenance
from vela.backtest.tables import BY_BREAK_EVEN, BY_SIGNAL, BY_STOP_LOSS, BY_TARGET, BY_TRAILING, NO_POSITION, Book
from vela.domain.candles import Candles
from vela.domain.money import add, multiply, plain, ratio, subtract
from vela.domain.position import ExitReason, PositionSide, Trade
from vela.domain.trading_symbol import TradingSymbol
from vela.engine import gate
from vela.engine.regime import REGIMES, classify_all
from vela.engine.rules import TradingRules
from vela.strategies.base import Strategy

_REASONS = {
    BY_SIGNAL: ExitReason.SIGNAL,
    BY_STOP_LOSS: ExitReason.STOP_LOSS,
    BY_BREAK_EVEN: ExitReason.BREAK_EVEN,
    BY_TRAILING: ExitReason.TRAILING,
    BY_TARGET: ExitReason.TAKE_PROFIT,
}
_REFUSALS = {
    "cooldown": gate.COOLDOWN,
    "max_positions": gate.MAX_POSITIONS,
    "balance": gate.BALANCE,
    "min_notional": gate.MIN_NOTIONAL,
    "regime": gate.REGIME,
    "position_open": gate.POSITION_OPEN,
    "no_position": NO_POSITION,
}


class OpenPosition(msgspec.Struct, frozen=True):
    """A position that was open at the end, marked at the last close.

    Attributes:
        quantity: what is still held, in base.
        fees: paid for it so far, in quote.
        realised_pnl: of the part that the take-profit closed, fees not included, in quote.
        unrealised_pnl: of what is held, before the fee of closing it, in quote.
    """

    symbol: TradingSymbol
    side: PositionSide
    entry_time: int
    entry_price: Decimal
    quantity: Decimal
    last_price: Decimal
    fees: Decimal
    realised_pnl: Decimal
    unrealised_pnl: Decimal


class BacktestResult:
    """The outcome of a backtest.

    Attributes:
        rules: what was traded by.
        strategy: name of the strategy.
        suits: the regimes that it is made for; empty: it does not say.
        equity: value of the account at each step's close, float64, shape `(steps,)`, in quote.
        times: open time of each step, int64 ms UTC.
        refused: entries and exits that were not let through, by reason.
    """

    def __init__(  # noqa: PLR0913  everything that one run leaves
        self,
        *,
        prepared: Prepared,
        rules: TradingRules,
        strategy: Strategy,
        trades: NDArray[np.int64],
        book: Book,
        cash: int,
        refused: NDArray[np.int64],
        equity: NDArray[np.float64],
        provenance: Callable[[], Provenance],
    ) -> None:
        """Keep the loop's numbers; `cash` and `equity` in its money units; `provenance` is asked when it is wanted."""
        self.rules = rules
        self.strategy = strategy.name
        self.suits = strategy.suits
        self.times = prepared.step_times
        self.equity = np.multiply(equity, float(prepared.unit), out=equity)
        self.refused: dict[str, int] = {name: int(refused[number]) for name, number in _REFUSALS.items()}
        self._provenance = provenance
        self._prepared = prepared
        self._rows = trades
        self._book = book
        self._cash = multiply(Decimal(cash), prepared.unit)

    def __len__(self) -> int:
        """Return the number of closed trades."""
        return len(self._rows)

    @cached_property
    def provenance(self) -> Provenance:
        """From what the result follows."""
        return self._provenance()

    @cached_property
    def trades(self) -> tuple[Trade, ...]:
        """The closed round trips, in the order in which they were closed."""
        return tuple(self._trade(*row) for row in self._rows.tolist())

    @cached_property
    def open_positions(self) -> tuple[OpenPosition, ...]:
        """What was still held at the end, by symbol."""
        return tuple(self._open_position(int(place)) for place in np.flatnonzero(self._book.side))

    @cached_property
    def final_equity(self) -> Decimal:
        """Cash and what is held at its last close, exact, in quote."""
        held = (
            multiply(Decimal(position.side.sign), position.quantity, position.last_price)
            for position in self.open_positions
        )
        return add(self._cash, *held)

    @cached_property
    def fees_paid(self) -> Decimal:
        """All fees, those of open positions' entries included, in quote."""
        closed, held = (trade.fees for trade in self.trades), (position.fees for position in self.open_positions)
        return add(*closed, *held)

    @property
    def candles(self) -> dict[TradingSymbol, Candles]:
        """What was traded on, by symbol."""
        return dict(zip(self._prepared.symbols, self._prepared.candles, strict=True))

    @cached_property
    def buy_and_hold(self) -> NDArray[np.float64]:
        """Value of the capital at each step, had it been held in equal parts of all symbols from the first open on."""
        return float(self.rules.initial_capital) * self._basket()

    @cached_property
    def sheet(self) -> TearSheet:
        """All statistics."""
        return tear_sheet(
            self.times,
            self.equity,
            self.trades,
            self.rules.initial_capital,
            self._basket(),
            open_since=[position.entry_time for position in self.open_positions],
        )

    def summary(self) -> dict[str, object]:
        """Return the figures that other programs hold on to; money as strings, undefined as None."""
        sheet = self.sheet
        return {
            "candles": sum(len(part) for part in self._prepared.candles),
            "from": sheet.start,
            "to": sheet.end,
            "initial_capital": plain(self.rules.initial_capital),
            "final_equity": plain(self.final_equity),
            "total_return_pct": sheet.total_return_pct,
            "buy_and_hold_pct": sheet.buy_and_hold_pct,
            "trades": len(self.trades),
            "open_positions": len(self.open_positions),
            "wins": sheet.all_trades.wins,
            "win_rate_pct": sheet.all_trades.win_rate_pct,
            "profit_factor": sheet.all_trades.profit_factor,
            "expectancy": sheet.all_trades.expectancy,
            "sharpe": sheet.sharpe,
            "sortino": sheet.sortino,
            "calmar": sheet.calmar,
            "cagr_pct": sheet.cagr_pct,
            "max_drawdown_pct": sheet.max_drawdown_pct,
            "max_drawdown_days": sheet.max_drawdown_days,
            "exposure_pct": sheet.exposure_pct,
            "fees_paid": plain(self.fees_paid),
        }

    def as_dict(self) -> dict[str, object]:
        """Return everything as plain values, ready for JSON."""
        return {
            "summary": self.summary(),
            "trades": [trade_as_dict(trade) for trade in self.trades],
            "refused": self.refused,
            "by_regime": msgspec.to_builtins(self.sheet.by_regime, builtin_types=()),
            "provenance": msgspec.to_builtins(self.provenance),
        }

    def to_json(self) -> bytes:
        """Return the result as JSON; the same inputs give the same bytes."""
        return msgspec.json.encode(self.as_dict())

    def _trade(  # noqa: PLR0913, PLR0917  a row of the loop's table
        self,
        place: int,
        side: int,
        entry_row: int,
        exit_row: int,
        entry: int,
        exit_: int,
        steps: int,
        reason: int,
        taken: int,
        taken_steps: int,
    ) -> Trade:
        instrument, candles = self._prepared.instruments[place], self._prepared.candles[place]
        price, rate = instrument.price, self.rules.fee_rate
        at_target, at_exit = instrument.quantity(taken_steps), instrument.quantity(steps)
        quantity = add(at_target, at_exit)
        entry_value = multiply(price(entry), quantity)
        exit_value = add(multiply(price(taken), at_target), multiply(price(exit_), at_exit))
        fees = multiply(rate, add(entry_value, exit_value))
        pnl = subtract(multiply(Decimal(side), subtract(exit_value, entry_value)), fees)
        return Trade(
            symbol=instrument.symbol,
            side=PositionSide.LONG if side > 0 else PositionSide.SHORT,
            entry_time=int(candles.open_time[entry_row]),
            entry_price=ratio(entry_value, quantity),
            exit_time=int(candles.open_time[exit_row]),
            exit_price=ratio(exit_value, quantity),
            quantity=quantity,
            fees=fees,
            pnl=pnl,
            return_pct=100.0 * float(pnl) / float(entry_value),
            entry_reason="signal",
            exit_reason=_REASONS[reason],
            regime=REGIMES[self.regimes[instrument.symbol][entry_row - 1]],
            strategy=self.strategy,
        )

    @cached_property
    def regimes(self) -> Mapping[TradingSymbol, NDArray[np.int8]]:
        """The regime at every candle's close, by symbol: its place in `engine.regime.REGIMES`, shape `(candles,)`."""
        return {symbol: classify_all(candles) for symbol, candles in self.candles.items()}

    def _open_position(self, place: int) -> OpenPosition:
        instrument, candles, book = self._prepared.instruments[place], self._prepared.candles[place], self._book
        quantity = instrument.quantity(int(book.steps[place]))
        entry_price = instrument.price(int(book.entry_ticks[place]))
        last_price = instrument.price(instrument.price_ticks(float(candles.close[-1])))
        taken_price, taken = (
            instrument.price(int(book.taken_ticks[place])),
            instrument.quantity(int(book.taken_steps[place])),
        )
        traded = add(multiply(entry_price, add(quantity, taken)), multiply(taken_price, taken))
        sign = int(book.side[place])
        row = int(book.entry_row[place] - self._prepared.market.first[place])
        return OpenPosition(
            symbol=instrument.symbol,
            side=PositionSide.LONG if sign > 0 else PositionSide.SHORT,
            entry_time=int(candles.open_time[row]),
            entry_price=entry_price,
            quantity=quantity,
            last_price=last_price,
            fees=multiply(self.rules.fee_rate, traded),
            realised_pnl=multiply(Decimal(sign), subtract(taken_price, entry_price), taken),
            unrealised_pnl=multiply(Decimal(sign), subtract(last_price, entry_price), quantity),
        )

    def _basket(self) -> NDArray[np.float64]:
        """Return the value of equal parts of all symbols, bought at their first open, over the steps."""
        total = np.zeros(len(self.times))
        for candles in self._prepared.candles:
            rows = np.searchsorted(candles.open_time, self.times, side="right") - 1
            closes = np.where(rows >= 0, candles.close[np.maximum(rows, 0)], candles.open[0])
            total += closes / candles.open[0]
        return total / len(self._prepared.candles)


def trade_as_dict(trade: Trade) -> dict[str, object]:
    """Return a trade as other programs read it: the symbol's short name, money as strings."""
    values = msgspec.structs.asdict(trade)
    del values["strategy"]
    return {
        key: plain(value) if isinstance(value, Decimal) else str(value) if key == "symbol" else value
        for key, value in values.items()
    }
