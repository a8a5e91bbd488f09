"""Requests against requests.schema.json: as Metabase does, what it does not know is taken out without a word, and what
is wrong is answered with 400 and the field."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema

Json = dict[str, Any]
SCHEMA = json.loads(Path(__file__).with_name("requests.schema.json").read_text(encoding="utf-8"))


class Refusal(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(str(body))
        self.status = status
        self.body = body


def refused(field: str, words: str) -> Refusal:
    return Refusal(400, {"errors": {field: words}, "specific-errors": {field: [words]}})


def checked(name: str, body: Any, dropped: list[str]) -> Json:
    """`body` as Metabase takes it. What was taken out is added to `dropped`. Raises Refusal."""
    validator = jsonschema.Draft202012Validator({**SCHEMA, "$ref": f"#/$defs/{_pointer(name)}"})
    body = copy.deepcopy(body)
    for error in list(validator.iter_errors(body)):
        if error.validator == "additionalProperties" and isinstance(error.instance, dict):
            known = error.schema.get("properties", {})
            part = body
            for step in error.absolute_path:
                part = part[step]
            for key in [key for key in part if key not in known]:
                dropped.append(f"{name}: {'.'.join(map(str, [*error.absolute_path, key]))}")
                del part[key]
    wrong = list(validator.iter_errors(body))
    if wrong:
        fields = {
            str(error.absolute_path[0]) if error.absolute_path else _missing(error): error.message for error in wrong
        }
        raise Refusal(400, {"errors": fields, "specific-errors": {field: [words] for field, words in fields.items()}})
    return dict(body)


def _pointer(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _missing(error: Any) -> str:
    """The name of a key that is not there, which the error says in words alone."""
    return str(error.message).split("'")[1] if error.validator == "required" else "body"
