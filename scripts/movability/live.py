# SPDX-License-Identifier: GPL-2.0
"""Finds the registers, flags and bytes of the frame that are still needed, backwards from
their uses.

Works on the logs of effects.py. For each key it has the set of kinds in which the key will
be used; a key without kinds is dead.
"""

from .cfg import FIXUP
from .effects import FEED, FLOW, KILL, PLAINLY, USE


def _before(log, live):
    """Turns the keys that are live after an instruction into those that are live before it."""
    flows = None
    for event in log:
        if event[0] in (FLOW, FEED):
            kinds = 0
            for key in event[1]:
                kinds |= live.get(key, 0)
            if kinds:
                flows = flows or []
                flows.append((event[2], kinds | event[3] if event[0] == FLOW else PLAINLY))
    for event in log:
        if event[0] == KILL:
            for key in event[1]:
                live.pop(key, None)
    for event in log:
        if event[0] == USE:
            for key in event[1]:
                live[key] = live.get(key, 0) | event[2]
    for keys, kinds in flows or ():
        for key in keys:
            live[key] = live.get(key, 0) | kinds


def _merge(into, live):
    """Adds the live keys of another path. Returns whether anything changed."""
    news = False
    for key, kinds in live.items():
        known = into.get(key, 0)
        if known | kinds != known:
            into[key] = known | kinds
            news = True
    return news


class Liveness:
    """The fixed point of a body. @logs are lists of events by place."""

    def __init__(self, body, logs):
        self.body, self.logs = body, logs
        self._at_start = {block: {} for block in body.blocks}
        self._solve()
        self._found = {}

    def _solve(self):
        pending = set(range(len(self.body.blocks)))
        while pending:
            number = max(pending)
            pending.discard(number)
            block = self.body.blocks[number]
            live = self._walk(block, None)
            if _merge(self._at_start[block], live):
                pending.update(pred.number for pred in block.preds)

    def _walk(self, block, found):
        live = {}
        for succ, edge in block.succs:
            if edge != FIXUP:
                _merge(live, self._at_start[succ])
        for at in range(len(block.sites) - 1, -1, -1):
            place = block.sites[at].place
            if found is not None:
                after = dict(live)
            _before(self.logs.get(place, ()), live)
            if at == len(block.sites) - 1:
                for succ, edge in block.succs:
                    if edge == FIXUP:
                        _merge(live, self._at_start[succ])
            if found is not None:
                found[place] = dict(live), after
        return live

    def at(self, block, site):
        """(keys live before a site, keys live after it)."""
        if site.place not in self._found:
            self._walk(block, self._found)
        return self._found[site.place]
