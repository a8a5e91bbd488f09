"""The form of requests to the MusicBrainz web service: which of them MusicBrainz refuses, and how a search is read.

Source: musicbrainz.org/doc/MusicBrainz_API, …/Search and the tests of its server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

AGENT_WITH_NAME = re.compile(r"(?!python-)[^\s/]+/\S+")
ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
MBID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
RELATIONS = {f"{kind}-rels" for kind in ("area", "artist", "label", "recording", "release", "url", "work")}
# Resource → documented parameters, documented includes.
RESOURCES = {
    "artist": ({"inc", "fmt", "query", "limit", "offset"}, {"genres", "tags", "aliases", "annotation", "ratings"}),
    "url": ({"inc", "fmt", "resource", "limit", "offset"}, set[str]()),
    "isrc": ({"inc", "fmt"}, {"artists", "artist-credits", "releases", "isrcs"}),
}
NAMES = ("", "artist", "alias", "sortname")
FIELDS = {*NAMES, "arid", "area", "begin", "comment", "country", "end", "ended", "gender", "tag", "type"}
TERM = re.compile(
    r'(?:(?P<field>\w+):)?(?:"(?P<phrase>(?:[^"\\]|\\.)+)"|\((?P<words>(?:[^()\\]|\\.)+)\)|(?P<word>(?:[^\s"():\\]|\\.)+))'
    r"(?:\s+AND\s+|\s+|$)"
)


class BadRequest(Exception):
    """Answered with 400 and these words."""


@dataclass(frozen=True)
class Request:
    """`key`: the part of the path after the resource, "" for a search. `ignored`: parameters without an effect."""

    resource: str
    key: str
    query: dict[str, str]
    includes: frozenset[str]
    ignored: tuple[str, ...]

    @property
    def limit(self) -> int:
        given = self.query.get("limit", "")
        return int(given) if re.fullmatch("[0-9]{1,3}", given) and 1 <= int(given) <= 100 else 25

    @property
    def offset(self) -> int:
        given = self.query.get("offset", "")
        return int(given) if re.fullmatch("[0-9]{1,9}", given) else 0


@dataclass(frozen=True)
class Term:
    field: str
    words: str
    is_phrase: bool


def read_request(method: str, target: str, headers: Mapping[str, str]) -> Request:
    """Raises BadRequest."""
    if not AGENT_WITH_NAME.match(headers.get("User-Agent", "")):
        raise BadRequest("Please name your application in the User-Agent.")
    url = urlsplit(target)
    path = url.path.removeprefix("/ws/2").strip("/").split("/")
    resource, key = path[0], unquote("/".join(path[1:]))
    if method != "GET" or resource not in RESOURCES:
        raise BadRequest("Not a resource of this web service.")
    parameters, includes = RESOURCES[resource]
    query = dict(parse_qsl(url.query, keep_blank_values=True))
    wanted = frozenset(re.split(r"[+ ]", query["inc"])) if query.get("inc") else frozenset()
    for include in sorted(wanted - includes - RELATIONS):
        raise BadRequest(f"{include} is not a valid inc parameter for the {resource} resource.")
    if resource == "isrc" and not ISRC.fullmatch(key):
        raise BadRequest("Invalid isrc.")
    if resource in ("artist", "url") and key and not MBID.fullmatch(key.lower()):
        raise BadRequest("Invalid mbid.")
    if not key and not query.get("query" if resource == "artist" else "resource"):
        raise BadRequest("The given parameters do not match any available query type for this resource.")
    if "query" in query:
        read_search(query["query"])
    ignored = [name for name in query if name not in parameters]
    request = Request(resource, key, query, wanted, ())
    for name, used in (("limit", request.limit), ("offset", request.offset)):
        if name in query and query[name] != str(used):
            ignored.append(name)
    return Request(resource, key, query, wanted, tuple(ignored))


def read_search(query: str) -> list[Term]:
    """The terms of a Lucene query, without its escapes. Raises BadRequest."""
    terms, place = [], 0
    while place < len(query):
        found = TERM.match(query, place)
        if not found or (found["field"] or "") not in FIELDS:
            raise BadRequest("Search: the query could not be parsed.")
        words: Any = found["phrase"] or found["words"] or found["word"]
        terms.append(Term(found["field"] or "", re.sub(r"\\(.)", r"\1", words).casefold(), bool(found["phrase"])))
        place = found.end()
    return terms
