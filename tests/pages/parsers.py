"""Has stock parsers read what the status page offers to readers, and prints what they found."""

import json
import sys
import urllib.request
from xml.etree import ElementTree

import feedparser
import icalendar

BASE = sys.argv[1]


def read(path):
    with urllib.request.urlopen(BASE + path, timeout=20) as answer:
        return answer.headers.get("content-type"), answer.read()


def feed(path):
    kind, text = read(path)
    found = feedparser.parse(text, response_headers={"content-type": kind})
    return {
        "version": found.version,
        "bozo": str(found.get("bozo_exception", "")),
        "title": found.feed.title,
        "link": found.feed.link,
        "entries": [
            {
                "id": entry.id,
                "title": entry.title,
                "link": entry.link,
                "at": list((entry.get("updated_parsed") or entry.published_parsed)[:6]),
                "text": (entry.content[0].value if "content" in entry else entry.summary),
            }
            for entry in found.entries
        ],
    }


def calendar(path):
    _, text = read(path)
    found = icalendar.Calendar.from_ical(text)
    return {
        "errors": [str(error) for part in found.walk() for error in part.errors],
        "version": str(found["VERSION"]),
        "longest": max(len(line) for line in text.split(b"\r\n")),
        "bare": text.replace(b"\r\n", b"").count(b"\n"),
        "events": [
            {
                "uid": str(event["UID"]),
                "summary": str(event["SUMMARY"]),
                "description": str(event.get("DESCRIPTION", "")),
                "start": event.decoded("DTSTART").isoformat(),
                "end": event.decoded("DTEND").isoformat(),
                "sequence": int(event["SEQUENCE"]),
                "status": str(event["STATUS"]),
            }
            for event in found.walk("VEVENT")
        ],
    }


def picture(path):
    _, text = read(path)
    root = ElementTree.fromstring(text)
    name = "{http://www.w3.org/2000/svg}"
    return {
        "root": root.tag,
        "role": root.get("role"),
        "label": root.get("aria-label"),
        "title": root.findtext(f"{name}title"),
        "scripts": len(root.findall(f".//{name}script")),
        "texts": sorted({part.text for part in root.iter(f"{name}text")}),
    }


print(
    json.dumps(
        {
            "atom": feed("/status/feed.atom"),
            "rss": feed("/status/feed.rss"),
            "json": json.loads(read("/status/feed.json")[1]),
            "ofApp": feed("/status/components/app/feed.atom"),
            "calendar": calendar("/status/maintenance.ics"),
            "badge": picture("/status/badge.svg"),
            "shields": json.loads(read("/status/badge.json")[1]),
        }
    )
)
