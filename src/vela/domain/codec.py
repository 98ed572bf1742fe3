"""How messages become bytes: MessagePack, with symbols as their short text."""

from __future__ import annotations

import msgspec

from vela.domain.errors import BusError, VelaError
from vela.domain.events import Envelope
from vela.domain.trading_symbol import TradingSymbol


def encode_hook(value: object) -> str:
    """Turn a symbol into text for msgspec.

    Raises:
        TypeError: no other type has a text of ours.
    """
    if isinstance(value, TradingSymbol):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be encoded")


def decode_hook(kind: type, value: object) -> object:
    """Turn text back into a symbol for msgspec.

    Raises:
        TypeError: no other type has a text of ours.
        SymbolError: the text is no symbol.
    """
    if kind is TradingSymbol and isinstance(value, str):
        return TradingSymbol.from_str(value)
    raise TypeError(f"{kind.__name__} cannot be decoded")


_encoder = msgspec.msgpack.Encoder(enc_hook=encode_hook)
_decoder = msgspec.msgpack.Decoder(Envelope, dec_hook=decode_hook)


def encode(envelope: Envelope) -> bytes:
    """Write an envelope.

    Raises:
        BusError: it holds something that has no place in a message.
    """
    try:
        return _encoder.encode(envelope)
    except (TypeError, ValueError, OverflowError) as e:
        raise BusError(f"message {type(envelope.message).__name__} cannot be encoded: {e}") from e


def decode(data: bytes) -> Envelope:
    """Read an envelope, every field checked against its type.

    Raises:
        BusError: the bytes are no envelope.
    """
    try:
        return _decoder.decode(data)
    except (ValueError, RecursionError, VelaError) as e:
        raise BusError(f"bytes are no message: {e}") from e
