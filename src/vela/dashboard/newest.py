"""Bounded memory of what came last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")


class Newest(Generic[_Key, _Value]):
    """The newest `limit` values by key; a key that is there keeps its place."""

    def __init__(self, limit: int) -> None:
        """Start empty."""
        self._limit = limit
        self._values: OrderedDict[_Key, _Value] = OrderedDict()

    def __contains__(self, key: _Key) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[_Value]:
        return reversed(self._values.values())

    def get(self, key: _Key) -> _Value | None:
        """Return the value of `key`, if it is still kept."""
        return self._values.get(key)

    def put(self, key: _Key, value: _Value) -> None:
        """Keep `value`, forgetting the oldest beyond the limit."""
        self._values[key] = value
        if len(self._values) > self._limit:
            self._values.popitem(last=False)
