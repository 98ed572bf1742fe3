"""Candles in CSV: with a header in anybody's words, or without one as exchanges' archives have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import polars as pl

from vela.adapters.storage.candle_import.rows import FoundRows, columns_of, missing_columns, rows_of
from vela.domain.candles import COLUMNS
from vela.domain.errors import CandleError

ACCEPTED = (
    "accepted: CSV with a header that names a time, open, high, low, close and volume, "
    "or without a header and with these in that order"
)

_SEPARATORS = ",;\t|"
_HEADER_WITHIN = 3  # some sites put their address above it
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = r"^-?\d+(\.0*)?$"
_BARE_COLUMNS = {name: index for index, name in enumerate(("open_time", *COLUMNS))}


class _Layout(NamedTuple):
    separator: str
    columns: Mapping[str, int]
    first_row: int


def read_csv(content: bytes, name: str, base: str) -> FoundRows:
    """Read candles from text.

    Args:
        content: of the file.
        name: of the file, for errors.
        base: the asset whose volume counts, where volumes are named by asset.

    Raises:
        CandleError: it is no text, is empty, or its columns are not what is accepted.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CandleError(f"{name} is no text; {ACCEPTED}") from None
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    layout = _layout(lines, name, base)
    table = pl.DataFrame(
        {"line": range(1, len(lines) + 1), "text": lines}, schema={"line": pl.Int64, "text": pl.String}
    )
    table = table.slice(layout.first_row).filter(pl.col("text").str.strip_chars() != "")
    if table.is_empty():
        raise CandleError(f"{name} has no rows; {ACCEPTED}")
    fields = table["text"].str.split(layout.separator)
    values = {column: _field(fields, index) for column, index in layout.columns.items()}
    prices = {column: values[column].cast(pl.Float64, strict=False) for column in COLUMNS}
    is_short = fields.list.len() <= max(layout.columns.values())
    return rows_of(table["line"], _times(values["open_time"]), prices, is_short)


def _layout(lines: Sequence[str], name: str, base: str) -> _Layout:
    seen = 0
    problem = f"{name} has no rows"
    for index, line in enumerate(lines):
        if not line.strip():
            continue
        separator = max(_SEPARATORS, key=line.count)
        words = [word.strip(' "\t') for word in line.split(separator)]
        if not seen and words[0].lstrip("-").replace(".", "", 1).isdigit() and len(words) > len(COLUMNS):
            return _Layout(separator, _BARE_COLUMNS, index)
        found = columns_of(words, base)
        if not missing_columns(found):
            return _Layout(separator, {column: words.index(word) for column, word in found.items()}, index + 1)
        if seen == 0 or len(found) > 1:
            problem = f"{name} has no column {', '.join(missing_columns(found))}"
        seen += 1
        if seen == _HEADER_WITHIN:
            break
    raise CandleError(f"{problem}; {ACCEPTED}")


def _field(fields: pl.Series, index: int) -> pl.Series:
    return fields.list.get(index, null_on_oob=True).str.strip_chars(' "\t')


def _times(texts: pl.Series) -> pl.Series:
    plain = texts.cast(pl.Int64, strict=False)
    if not plain.null_count():
        return plain
    numbers = texts.str.contains(_NUMBER).fill_null(value=False)
    whole = texts.str.split(".").list.first().cast(pl.Int64, strict=False)
    if numbers.all():
        return whole
    written = pl.Series(
        [None if is_number else _written(text) for text, is_number in zip(texts, numbers, strict=True)], dtype=pl.Int64
    )
    return pl.select(pl.when(numbers).then(whole).otherwise(written).alias("time"))["time"]


def _written(text: str | None) -> int | None:
    """Return a written time in microseconds; one without a zone is UTC."""
    try:
        time = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    time = time.replace(tzinfo=UTC) if time.tzinfo is None else time
    return (time - _EPOCH) // timedelta(microseconds=1)
