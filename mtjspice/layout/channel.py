"""The one way in which everything is routed: horizontal tracks in metal2 between the two sides of a row.

A terminal's wire runs straight up or down its column to the track of its net: in metal1, or in metal3 where a wire of
another net from the other side uses metal1 in the same column. Lines between rows run in metal4. No wire stands in
another's way then, and the fewest tracks suffice: as many as there are nets side by side at the densest column (the
left-edge algorithm; A. Hashimoto and J. Stevens, Proc. 8th Design Automation Workshop, 155 (1971)).

The wires across the channel are most of a net's capacitance. Nets that need none have their track over the FETs
(`over`), neighbouring gates of one net share a wire (`arrangement.Arrangement.contacts`), and groups stand where their
tracks are short (`sequence`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

CLEARANCE = 2  # columns from the last via of a net to the first of the next on the same track


@dataclass(frozen=True)
class Track:
    """The metal2 of a net: ``index`` counts tracks from below; ``left`` and ``right`` are columns.

    Those ``over`` the FETs of a side, "n" or "p", count from the edge of the FETs.
    """

    net: str
    index: int
    left: int
    right: int
    over: str = ""


def routed(
    spans: Mapping[str, tuple[int, int]], pairs: Iterable[tuple[str, str]], low: Iterable[str]
) -> tuple[dict[str, Track], int]:
    """Give each net a track; return them and the number of tracks.

    ``spans`` are the first and last column of each net. The nets of a pair lie side by side.
    Nets in ``low`` get the lower tracks where there is a choice.
    """
    partner: dict[str, str] = {}
    for a, b in pairs:
        if a in spans and b in spans and a not in partner and b not in partner:
            partner[a], partner[b] = b, a
    ends: list[int] = []  # last column of each track
    tracks: dict[str, Track] = {}
    down = set(low)
    for net in sorted(spans, key=lambda name: (_first(spans, partner, name), name not in down, -spans[name][1], name)):
        if net in tracks:
            continue
        nets = (net, partner[net]) if net in partner else (net,)
        index = next(k for k in range(len(ends) + 1) if _free(ends[k : k + len(nets)], _first(spans, partner, net)))
        for k, each in enumerate(nets, index):
            if k == len(ends):
                ends.append(0)
            ends[k] = spans[each][1]
            tracks[each] = Track(each, k, *spans[each])
    return tracks, len(ends)


def _free(ends: list[int], left: int) -> bool:
    """Whether tracks that are in use up to ``ends`` can be used from ``left`` on."""
    return all(left - end >= CLEARANCE for end in ends)


def _first(spans: Mapping[str, tuple[int, int]], partner: Mapping[str, str], net: str) -> int:
    """The first column of a net, or of a pair."""
    return min(spans[net][0], spans[partner.get(net, net)][0])


def ordered(
    tracks: Mapping[str, Track], count: int, pairs: Iterable[tuple[str, str]], pull: Mapping[str, int]
) -> dict[str, Track]:
    """Exchange whole tracks so that their nets' wires get short: any order is as good a routing as another.

    ``pull`` is the number of a net's terminals below less those above. Tracks of a pair stay side by side.
    """
    weight = [0] * count
    for track in tracks.values():
        weight[track.index] += pull.get(track.net, 0)
    joined = [False] * count  # to the track above
    for a, b in pairs:
        if a in tracks and b in tracks and abs(tracks[a].index - tracks[b].index) == 1:
            joined[min(tracks[a].index, tracks[b].index)] = True
    blocks: list[list[int]] = [[]]
    for index in range(count):
        blocks[-1].append(index)
        if not joined[index]:
            blocks.append([])
    blocks = [block for block in blocks if block]
    blocks.sort(key=lambda block: (-sum(weight[k] for k in block) / len(block), block[0]))
    place = {index: k for k, index in enumerate(index for block in blocks for index in block)}
    return {net: Track(net, place[track.index], track.left, track.right) for net, track in tracks.items()}
