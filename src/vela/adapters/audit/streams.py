"""Judges the streams of the bus: who is behind, who died, who holds up the others."""

from __future__ import annotations

from vela.adapters.audit.findings import Finding, Problem
from vela.adapters.audit.snapshot import ConsumerState, GroupState, Snapshot, StreamState


def judge_streams(snapshot: Snapshot, *, patience_ms: int, capacity: int) -> list[Finding]:
    """Return what is wrong with the streams, in the order of their names.

    A bus at work always has something under way; a finding is what waits too long.

    Args:
        snapshot: what is there.
        patience_ms: how long a message may wait, and a member may be silent while something waits for it.
        capacity: messages that a stream may hold before publishers wait; half of it is a finding.
    """
    findings = [
        Finding(Problem.DEAD_LETTERS, key, f"{count:,} messages could not be handled; XRANGE shows them and why")
        for key, count in snapshot.letters.items()
        if count
    ]
    for stream in snapshot.streams:
        for group in stream.groups:
            findings += _judge_group(stream, group, snapshot.time, patience_ms)
        findings += _judge_length(stream, capacity)
    return sorted(findings, key=lambda finding: finding.key)


def _judge_group(stream: StreamState, group: GroupState, now: int, patience_ms: int) -> list[Finding]:
    if group.oldest_ms is None or now - group.oldest_ms <= patience_ms:
        return []
    waits = f"group {group.name} has {group.waiting}, the oldest for {(now - group.oldest_ms) / 1000:,.0f} s"
    idle = group.idle_ms
    if idle is None or idle > patience_ms:
        silent = "it has no member" if idle is None else f"its members have been silent for {idle / 1000:,.0f} s"
        sentence = (
            f"{waits}, and nobody reads: {silent}. It holds up trimming, publishers and whoever waits for all; start "
            "its service, or give it up for good with XGROUP DESTROY, which loses what waits for it"
        )
        return [Finding(Problem.NOBODY_READS, stream.name, sentence)]
    dead = [one for one in group.consumers if one.pending and one.idle_ms > patience_ms]
    return [Finding(Problem.BEHIND, stream.name, waits)] + [_dead(stream, group, consumer) for consumer in dead]


def _dead(stream: StreamState, group: GroupState, consumer: ConsumerState) -> Finding:
    sentence = (
        f"{consumer.name} of group {group.name} holds {consumer.pending:,} messages and has been silent for "
        f"{consumer.idle_ms / 1000:,.0f} s; living members take them over by themselves"
    )
    return Finding(Problem.DEAD_CONSUMER, stream.name, sentence)


def _judge_length(stream: StreamState, capacity: int) -> list[Finding]:
    if stream.length < capacity // 2:
        return []
    behind = [(group.oldest_ms, group.name) for group in stream.groups if group.oldest_ms is not None]
    blamed = f"group {min(behind)[1]} holds it up" if behind else "all is handled and was not trimmed yet"
    sentence = f"it holds {stream.length:,} messages of {capacity:,}, from which on publishers wait; {blamed}"
    return [Finding(Problem.NEARLY_FULL, stream.name, sentence)]
