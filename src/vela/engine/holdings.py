"""What an account holds and has under way: the questions that the order manager asks itself, and what it shows."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from decimal import Decimal

from vela.domain.events import Alert
from vela.domain.instrument import Instrument
from vela.domain.money import plain, ratio
from vela.domain.order import Order, OrderPurpose
from vela.domain.position import Position, Wallet
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.account import TradingAccount
from vela.engine.protection import PROTECTIVE, stop_state
from vela.engine.rules import TradingRules
from vela.engine.step import Step, StepBuilder
from vela.ports.record import AccountState


class Holdings:
    """Live orders, open positions, and the account."""

    def __init__(
        self,
        rules: TradingRules,
        instruments: Iterable[Instrument],
        state: AccountState,
        stranded: Collection[TradingSymbol] = (),
    ) -> None:
        """Go on from `state`, as it was last committed. `stranded`: symbols that can be traded no more."""
        self._rules = rules
        self._instruments = {instrument.symbol: instrument for instrument in instruments}
        self._orders: dict[str, Order] = {order.client_order_id: order for order in state.orders}
        self._positions: dict[TradingSymbol, Position] = {p.symbol: p for p in state.positions}
        self._account = TradingAccount(rules, self._instruments, state.balances)
        self._stranded = frozenset(stranded)
        for position in (one for one in state.positions if one.symbol in self._stranded):
            # No candle will ever close: at cost, so that the account can be valued.
            self._account.mark(position.symbol, float(ratio(position.cost, position.quantity)))

    @property
    def live_orders(self) -> tuple[Order, ...]:
        """Orders that the venue may still execute, or whose fate is not known."""
        return tuple(self._orders.values())

    @property
    def positions(self) -> tuple[Position, ...]:
        """The open positions."""
        return tuple(self._positions.values())

    @property
    def is_funded(self) -> bool:
        """Whether the capital was paid in."""
        return self._account.is_funded

    def wallet(self, time: int) -> Wallet:
        """Return the account, its positions valued at the newest closes (at cost where there is none yet)."""
        return self._account.wallet(time, self._positions.values(), self._entering())

    def stop_state(self, position: Position) -> str:
        """Say how a position is protected; see `protection.stop_state`. `stranded`: nothing can be done for it."""
        if position.symbol in self._stranded:
            return "stranded"
        return stop_state(position, self._protecting(position.symbol))

    def tell_stranded(self, time: int) -> Step:
        """Tell of what is held and cannot be traded any more."""
        step = StepBuilder(time)
        for position in (one for one in self._positions.values() if one.symbol in self._stranded):
            held = f"{plain(position.quantity)} {position.symbol.base}"
            text = f"{position.symbol} is not listed any more: {held} are stranded, without a stop, valued at cost"
            step.tell(Alert(time=time, level="critical", text=text))
        self._show_positions(step, *self._stranded)
        return step.build()

    def _known_wallet(self, time: int) -> Wallet | None:
        return self._account.known_wallet(time, self._positions.values(), self._entering())

    def _protecting(self, symbol: TradingSymbol) -> tuple[Order, ...]:
        return tuple(o for o in self._orders.values() if o.symbol == symbol and o.purpose in PROTECTIVE)

    def _protective_ids(self, symbol: TradingSymbol) -> tuple[str, ...]:
        return tuple(order.client_order_id for order in self._protecting(symbol))

    def _is_leaving(self, symbol: TradingSymbol) -> bool:
        return any(o.symbol == symbol and o.purpose is OrderPurpose.EXIT for o in self._orders.values())

    def _is_traded(self, symbol: TradingSymbol) -> bool:
        return any(order.symbol == symbol for order in self._orders.values())

    def _orderable(self, position: Position) -> Decimal:
        return self._instruments[position.symbol].orderable_part(position.quantity)

    def _can_be_sold(self, position: Position) -> bool:
        return position.symbol not in self._stranded and bool(self._orderable(position))

    def _entering(self) -> tuple[Order, ...]:
        return tuple(o for o in self._orders.values() if o.purpose is OrderPurpose.ENTRY)

    def _show_positions(self, step: StepBuilder, *symbols: TradingSymbol) -> None:
        shown = {position.symbol for position in step.changed_positions()} | set(symbols)
        for symbol in sorted(shown & set(self._positions)):
            position, instrument = self._positions[symbol], self._instruments[symbol]
            stop = instrument.price(position.stop_ticks) if position.stop_ticks is not None else None
            target = instrument.price(position.target_ticks) if position.target_ticks is not None else None
            step.tell_position(position, stop, target, self.stop_state(position))
