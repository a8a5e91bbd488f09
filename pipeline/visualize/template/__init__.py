"""The templates of the page and of the picture; escaping of titles, and hashes of code for the page's policy."""

from __future__ import annotations

import base64
import functools
import hashlib
import importlib.resources
import json
from typing import Any

from pipeline.visualize.units import text

FOLDER = importlib.resources.files("pipeline.visualize.template")


def part(name: str) -> str:
    """A file of this folder."""
    return FOLDER.joinpath(name).read_text(encoding="utf-8")


def template(name: str) -> Any:
    """A Jinja template of this folder; what it prints is escaped."""
    return _environment().get_template(name)


@functools.cache
def _environment() -> Any:
    import jinja2

    loader = jinja2.FunctionLoader(part)
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["as"] = text
    environment.filters["inline_json"] = inline_json
    environment.filters["inline_code"] = inline_code
    environment.filters["source_hash"] = source_hash
    return environment


def inline_json(value: Any) -> Any:
    """JSON that may stand in a <script>: no text of a title can end it."""
    from markupsafe import Markup

    return Markup(json.dumps(value).replace("<", "\\u003c"))  # noqa: S704 - that is what the line escapes


def inline_code(code: str) -> Any:
    """The project's own JavaScript or CSS, or the chart library's, as it is. Raises ValueError where it could end the
    element that it stands in."""
    from markupsafe import Markup

    if any(end in code.lower() for end in ("</script", "</style", "<!--", "\r", "\0")):
        raise ValueError("the code would end the element it stands in, or a browser would read it differently")
    return Markup(code)  # noqa: S704 - no text of a title is in it


def source_hash(code: str) -> str:
    """The source expression that allows exactly this code, as the whole text of an element:
    https://www.w3.org/TR/CSP3/#grammardef-hash-source."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'"
