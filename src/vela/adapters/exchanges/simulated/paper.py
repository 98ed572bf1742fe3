"""A paper account: the simulated exchange, with everything that happens to it written down before anybody is told.

The log is a list of entries of JSON. The first describes the account; each further one holds the events of one command
or of one moment's prices, so that an entry is the unit of what happened or did not.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Protocol, TypeVar

import msgspec

from vela.domain.errors import StorageError, VelaError
from vela.domain.events import PricesMoved
from vela.domain.instrument import Instrument
from vela.domain.order import OrderRequest
from vela.domain.trading_symbol import TradingSymbol, restored_symbol
from vela.ports.execution import Balance, EventsMissed, FollowUp, OrderReport
from vela.simulation.exchange import SimulatedExchange
from vela.simulation.exchange_events import ExchangeEvent, order_of
from vela.simulation.spot_orders import SpotOrderType

_T = TypeVar("_T")

_VERSION = 2
_READABLE = (1, _VERSION)
_OLD_STOP, _STOP = '"type":"STOP"', f'"type":"{SpotOrderType.STOP_LOSS.value}"'  # all that version 1 called otherwise
_NO_EVENTS: tuple[OrderReport, ...] = ()


class _Header(msgspec.Struct, frozen=True):
    version: int
    balances: dict[str, Decimal]


def _encode_symbol(value: object) -> object:
    # With its quote, unlike on the bus: the process that reads it may know fewer assets.
    if isinstance(value, TradingSymbol):
        return value.to_ccxt()
    raise TypeError(f"{type(value).__name__} has no place in the log")


def _decode_symbol(kind: type, value: object) -> object:
    if kind is TradingSymbol and isinstance(value, str):
        base, _, quote = value.partition("/")
        return restored_symbol(base, quote)
    raise TypeError(f"no {kind.__name__} is written like this")


_ENCODER = msgspec.json.Encoder(enc_hook=_encode_symbol)
_HEADERS = msgspec.json.Decoder(_Header)
_EVENTS = msgspec.json.Decoder(list[ExchangeEvent], dec_hook=_decode_symbol)


class PaperLog(Protocol):
    """Entries of text that are appended and never changed."""

    def entries(self) -> Iterable[tuple[int, str]]:
        """Return the number and text of every entry, oldest first."""
        ...

    def append(self, text: str) -> None:
        """Write one entry, as a whole or not at all."""
        ...


class PaperExecution:
    """`Execution` over a `SimulatedExchange` whose events are kept in a log."""

    def __init__(
        self,
        log: PaperLog,
        instruments: Iterable[Instrument],
        balances: Mapping[str, Decimal],
        *,
        fee_rate: Decimal,
        slippage_ppm: int,
        impact_ppm: int = 0,
    ) -> None:
        """Open the account, or go on with the one that is there.

        Args:
            log: what happened so far; empty for a new account.
            instruments: what can be traded.
            balances: what a new account begins with; an account that is there keeps its own.
            fee_rate: see `SimulatedExchange`.
            slippage_ppm: see `SimulatedExchange`.
            impact_ppm: see `SimulatedExchange`.

        Raises:
            StorageError: the log cannot be read or written, or is damaged.
            ConfigurationError: fee or slippage is out of range.
        """
        self._log = log
        header, entries = self._read()
        initial = balances if header is None else header.balances
        self._exchange = SimulatedExchange(
            instruments, initial, fee_rate=fee_rate, slippage_ppm=slippage_ppm, impact_ppm=impact_ppm
        )
        for number, events in entries:
            self._replay(number, events)
        if header is None:
            log.append(_ENCODER.encode(_Header(_VERSION, dict(balances))).decode())

    def truth(self) -> Iterator[ExchangeEvent]:
        """Yield every event of the account's life as the log has it.

        Raises:
            StorageError: the log cannot be read or is damaged.
        """
        for _, events in self._read()[1]:
            yield from events

    # ------------------------------------------------------------------------------------------------ the port's calls

    @property
    def follow_up(self) -> FollowUp:
        """See `Execution.follow_up`."""
        return FollowUp()

    async def submit(self, *requests: OrderRequest) -> tuple[OrderReport, ...]:
        """See `Execution.submit`."""
        return await self.replace((), *requests)

    async def replace(self, cancel: Sequence[str], *requests: OrderRequest) -> tuple[OrderReport, ...]:
        """See `Execution.replace`."""
        self._commit(self._exchange.cancel_and_replace(cancel, *requests))
        return tuple(map(self._exchange.order, (*cancel, *(request.client_order_id for request in requests))))

    async def cancel(self, client_order_id: str) -> OrderReport:
        """See `Execution.cancel`."""
        [report] = await self.replace((client_order_id,))
        return report

    async def order(self, client_order_id: str) -> OrderReport:
        """See `Execution.order`."""
        return self._exchange.order(client_order_id)

    async def open_orders(self) -> tuple[OrderReport, ...]:
        """See `Execution.open_orders`."""
        return self._exchange.open_orders()

    async def balances(self) -> Mapping[str, Balance]:
        """See `Execution.balances`."""
        return self._exchange.balances()

    async def average_price(self, request: OrderRequest) -> Decimal | None:
        """See `Execution.average_price`."""
        return self._exchange.average_price(request)

    async def events(self) -> AsyncIterator[OrderReport | EventsMissed]:
        """See `Execution.events`. All is told in answers."""
        for event in _NO_EVENTS:
            yield event

    async def on_prices(self, prices: PricesMoved) -> tuple[OrderReport, ...]:
        """See `Execution.on_prices`. Fills come first, then what they cancelled."""
        events = self._exchange.on_ticks(prices.time, prices.ticks)
        if not events:
            return ()
        self._commit(events)
        reports = [self._exchange.order(order_of(event)) for event in events]
        return tuple(sorted(reports, key=lambda report: not report.fills))

    # --------------------------------------------------------------------------------------------------------- the log

    def _commit(self, events: tuple[ExchangeEvent, ...]) -> None:
        if events:
            self._log.append(_ENCODER.encode(events).decode())
            for event in events:
                self._exchange.apply(event)

    def _read(self) -> tuple[_Header | None, list[tuple[int, list[ExchangeEvent]]]]:
        """Return the header and the events of each further entry, with the entry's number."""
        entries = list(self._log.entries())
        if not entries:
            return None, []
        header = self._decoded(*entries[0], _HEADERS)
        if header.version not in _READABLE:
            accepted = ", ".join(map(str, _READABLE))
            raise StorageError(f"the paper account has version {header.version}; accepted: {accepted}")
        texts = ((number, text.replace(_OLD_STOP, _STOP)) for number, text in entries[1:])
        return header, [(number, self._decoded(number, text, _EVENTS)) for number, text in texts]

    def _decoded(self, number: int, text: str, decoder: msgspec.json.Decoder[_T]) -> _T:
        try:
            return decoder.decode(text)
        except (msgspec.DecodeError, VelaError) as error:
            raise self._damaged(number, error) from None

    def _replay(self, number: int, events: Iterable[ExchangeEvent]) -> None:
        try:
            for event in events:
                self._exchange.apply(event)
        except (VelaError, ArithmeticError) as error:
            raise self._damaged(number, error) from None

    def _damaged(self, number: int, error: Exception) -> StorageError:
        return StorageError(
            f"the paper account's log is damaged in entry {number}: {error}; accepted: what was written"
        )
