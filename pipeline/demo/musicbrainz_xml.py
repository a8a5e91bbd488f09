"""Responses of the sample MusicBrainz as XML, its format unless a request says fmt=json.

Source: the schema musicbrainz_mmd-2.0.rng.
"""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

SCORE = "{http://musicbrainz.org/ns/ext#-2.0}score"
Json = dict[str, Any]


def as_xml(body: Json) -> bytes:
    """`body`: a response in the JSON form of the web service."""
    root = Element("metadata", xmlns="http://musicbrainz.org/ns/mmd-2.0#")
    if "error" in body:
        error = SubElement(root, "error")
        for text in body.values():
            SubElement(error, "text").text = text
        return _written(error)
    if "artists" in body:
        found = SubElement(root, "artist-list", count=str(body["count"]), offset=str(body["offset"]))
        for artist in body["artists"]:
            _artist(found, artist)
    elif "resource" in body:
        _url(root, body)
    elif "isrc" in body:
        _isrc(root, body)
    else:
        _artist(root, body)
    return _written(root)


def _written(element: Element) -> bytes:
    written: bytes = ElementTree.tostring(element, "utf-8", xml_declaration=True)
    return written


def _artist(parent: Element, body: Json) -> None:
    artist = SubElement(parent, "artist", id=body["id"])
    if "score" in body:
        artist.set(SCORE, str(body["score"]))
    for name in ("name", "sort-name", "disambiguation"):
        if body[name]:
            SubElement(artist, name).text = body[name]
    for plural, singular in (("tags", "tag"), ("genres", "genre")):
        if body.get(plural):
            listed = SubElement(artist, f"{singular}-list")
            for each in body[plural]:
                SubElement(SubElement(listed, singular, count=str(each["count"])), "name").text = each["name"]


def _url(root: Element, body: Json) -> None:
    url = SubElement(root, "url", id=body["id"])
    SubElement(url, "resource").text = body["resource"]
    if body.get("relations"):
        listed = SubElement(url, "relation-list", {"target-type": "artist"})
        for each in body["relations"]:
            relation = SubElement(listed, "relation", type=each["type"])
            SubElement(relation, "target").text = each["artist"]["id"]
            SubElement(relation, "direction").text = each["direction"]
            _artist(relation, each["artist"])


def _isrc(root: Element, body: Json) -> None:
    isrc = SubElement(root, "isrc", id=body["isrc"])
    listed = SubElement(isrc, "recording-list", count=str(len(body["recordings"])))
    for each in body["recordings"]:
        recording = SubElement(listed, "recording", id=each["id"])
        SubElement(recording, "title").text = each["title"]
        if "artist-credit" in each:
            credits = SubElement(recording, "artist-credit")
            for credit in each["artist-credit"]:
                _artist(SubElement(credits, "name-credit"), credit["artist"])
