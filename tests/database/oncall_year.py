"""Who is on call in every minute of a year, worked out once more and differently.

Reads teams as JSON from stdin and writes, for each, spans [from, until, name] in minutes since
the epoch, which adjoin; a span whose name is null has nobody. Nothing here cuts time or
converts a local time: each zone's clock is read at every minute, and a turn passes at the first
minute at which that clock has reached the hand-over.
"""

import json
import sys
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

EPOCH = date(1970, 1, 1)
HOUR = 60
DAY = 24 * HOUR


class Clock:
    """What the clock of a zone tells at each minute, as minutes of its own since the epoch."""

    def __init__(self, zone, first, last):
        self.first = first
        zone = ZoneInfo(zone)

        def told(minute):
            at = datetime.fromtimestamp(minute * 60, timezone.utc)
            return minute + int(at.astimezone(zone).utcoffset().total_seconds()) // 60

        self.told = []
        for hour in range(first, last, HOUR):
            here, there = told(hour), told(hour + HOUR)
            if there - here == HOUR:
                self.told.extend(range(here, there))
            else:
                self.told.extend(told(minute) for minute in range(hour, hour + HOUR))
        self.furthest = max(local - minute for minute, local in enumerate(self.told, first))

    def first_minute(self, local):
        """The first minute at which the clock tells that time or a later one."""
        # Before, the clock cannot have reached it, whatever it tells.
        minute = max(local - self.furthest, self.first)
        while self.told[minute - self.first] < local:
            minute += 1
        return minute


def time_of_day(text):
    hours, minutes = text.split(":")
    return int(hours) * HOUR + int(minutes)


def days_since_epoch(text):
    return (date.fromisoformat(text) - EPOCH).days


def minutes(text):
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()) // 60


def turns(layer, clock, first, last):
    """Which turn each minute is in."""
    step = layer["every"] * (7 if layer["unit"] == "week" else 1)
    anchor = days_since_epoch(layer["firstOn"])
    if layer["unit"] == "week":
        while (EPOCH + timedelta(days=anchor)).isoweekday() != layer["weekday"]:
            anchor -= 1
    turn = (first // DAY - anchor) // step - 1
    begins = clock.first_minute((anchor + turn * step) * DAY + time_of_day(layer["handOver"]))
    all_turns = []
    while begins < last:
        turn += 1
        ends = clock.first_minute((anchor + turn * step) * DAY + time_of_day(layer["handOver"]))
        all_turns.extend([turn - 1] * (min(ends, last) - max(begins, first)))
        begins = ends
    return all_turns


def hours(layer, clock, first, last):
    """Whether the layer has each minute."""
    if layer["hours"] is None:
        return [True] * (last - first)
    begins, ends = (time_of_day(layer["hours"][key]) for key in ("from", "until"))
    if ends < begins:
        ends += DAY
    has = [False] * (last - first)
    for day in range(first // DAY - 2, last // DAY + 2):
        a = clock.first_minute(day * DAY + begins)
        b = clock.first_minute(day * DAY + ends)
        for minute in range(max(a, first), min(b, last)):
            has[minute - first] = True
    return has


def marks(spans, first, last):
    """Which of the spans hold each minute, as bits."""
    held = [0] * (last - first)
    for nth, span in enumerate(spans):
        for minute in range(max(minutes(span["from"]), first), min(minutes(span["until"]), last)):
            held[minute - first] |= 1 << nth
    return held


def owner(team, absences, key):
    layers = len(team["layers"])
    layer_turns, layer_hours = key[:layers], key[layers : 2 * layers]
    overrides, entries, absent = key[2 * layers :]
    away = {span["name"] for nth, span in enumerate(absences) if absent >> nth & 1}
    held = [span for nth, span in enumerate(team["overrides"]) if overrides >> nth & 1]
    # The last one that was made.
    for span in reversed(held):
        if span["name"] not in away:
            return span["name"]
    held = [span for nth, span in enumerate(team["entries"]) if entries >> nth & 1]
    for span in sorted(held, key=lambda span: (span["from"], -minutes(span["until"])), reverse=True):
        if span["name"] not in away:
            return span["name"]
    for layer, turn, has in zip(team["layers"], layer_turns, layer_hours):
        members = layer["members"]
        if not has:
            continue
        for nth in range(len(members)):
            member = members[(turn + nth) % len(members)]
            if member not in away:
                return member
    return None


def main():
    given = json.load(sys.stdin)
    first, last = minutes(given["from"]), minutes(given["until"])
    clocks = {}
    absent = marks(given["absences"], first, last)
    result = []
    for team in given["teams"]:
        for layer in team["layers"]:
            zone = layer["zone"]
            if zone not in clocks:
                clocks[zone] = Clock(zone, first - 90 * DAY, last + 90 * DAY)
        of_layers = [(layer, clocks[layer["zone"]]) for layer in team["layers"]]
        all_turns = [turns(layer, clock, first, last) for layer, clock in of_layers]
        all_hours = [hours(layer, clock, first, last) for layer, clock in of_layers]
        overrides = marks(team["overrides"], first, last)
        entries = marks(team["entries"], first, last)
        spans, former = [], None
        known = {}
        for nth, key in enumerate(zip(*all_turns, *all_hours, overrides, entries, absent)):
            if key != former:
                if key not in known:
                    known[key] = owner(team, given["absences"], key)
                name = known[key]
                if not spans or spans[-1][2] != name:
                    if spans:
                        spans[-1][1] = first + nth
                    spans.append([first + nth, last, name])
                former = key
        result.append(spans)
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
