"""The registry of secrets, and their removal from text.

Secrets are the settings in NAMES, the passwords within addresses, the stored tokens and keys (data/tokens,
data/metabase), and what this process received or sent meanwhile (`remember`). Text of other programs is scrubbed where
it enters, before it is shortened or escaped: half a secret, or an escaped one, is not found afterwards.
"""

from __future__ import annotations

import base64
import configparser
import contextlib
import functools
import html
import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote, urlsplit

from pipeline.config.database_url import secret_parts
from pipeline.config.environment import (
    FILE,
    PROJECT,
    SHORTEST_SECRET,
    SettingError,
    check_length,
    readable,
    readable_environment,
)
from pipeline.config.metabase_section import metabase
from pipeline.config.sections import (
    CLIENT_SECRET,
    REFRESH_TOKEN,
    musicbrainz,
    notify_urls,
    postgres,
    slack,
    spotify,
    storage,
)

NAMES = {
    "SLACK_BOT_TOKEN",
    "PGPASSWORD",
    "METABASE_API_KEY",
    "METABASE_ADMIN_PASSWORD",
    "METABASE_DATABASE_PASSWORD",
    # Read by docker compose alone, from the same .env.
    "POSTGRES_PASSWORD",
    "METABASE_POSTGRES_PASSWORD",
}
PER_ACCOUNT = (CLIENT_SECRET, REFRESH_TOKEN)
TOKEN = re.compile(r'"(?:refresh|access)_token": *"([!-~]*?)"')
# A segment of a webhook's path that is long enough to be its key: Slack's have 24 characters.
LONG = 16
FOLDERS = ("tokens", "metabase")
_remembered: set[str] = set()
_reading = threading.local()


def remember(*values: str | None) -> None:
    """Add secrets of this process: tokens of a response, a code, a session."""
    _remembered.update(value for value in values if isinstance(value, str) and len(value) >= SHORTEST_SECRET)


def scrub(text: str) -> str:
    """`text` with *** in place of every secret, in whatever form it is written. Never raises."""
    for form in secrets():
        if form in text:
            text = text.replace(form, "***")
    return text


def scrub_body(body: bytes, values: Iterable[str | None]) -> bytes:
    """A response with *** in place of these tokens, which its server can have returned from the request."""
    for form in _all_forms(values):
        if form.encode() in body:
            body = body.replace(form.encode(), b"***")
    return body


def secrets() -> list[str]:
    """Every form of every secret, the longest first: one form can contain another."""
    return _all_forms((*_set_or_stored(), *sorted(_remembered)))


def check_secrets() -> None:
    """Raises SettingError for a secret that is too short to be scrubbed."""
    for name, value in _named():
        check_length(name, value)


def _set_or_stored() -> tuple[str, ...]:
    """Read again if the environment or one of the folders has changed: every event of the log needs them."""
    if getattr(_reading, "now", False):
        return ()  # an event of the log that reading the settings has caused
    _reading.now = True
    try:
        root, values = _settings(frozenset(readable_environment().items()))
        return (*values, *_files(root, *(_stamp(root / name) for name in FOLDERS)))
    finally:
        _reading.now = False


@functools.lru_cache(maxsize=8)
def _settings(variables: frozenset[tuple[str, str]]) -> tuple[Path, tuple[str, ...]]:
    """The data folder and the secrets that are set. `variables` is the key of the cache."""
    root = PROJECT / "data"
    with contextlib.suppress(SettingError, configparser.Error):
        root = storage().root
    return root, tuple(_set_values())


@functools.lru_cache(maxsize=8)
def _files(root: Path, *stamps: int) -> tuple[str, ...]:
    return (*_stored_tokens(root), *(value for _, value in _kept(root)))


def _stamp(folder: Path) -> int:
    """Changes when a file of the folder is replaced."""
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0


def _all_forms(values: Iterable[str | None]) -> list[str]:
    return _sorted_forms(tuple(value for value in values if value and len(value) >= SHORTEST_SECRET))


@functools.lru_cache(maxsize=64)
def _sorted_forms(values: tuple[str, ...]) -> list[str]:
    return sorted({form for value in values for form in _forms(value)}, key=len, reverse=True)


@functools.lru_cache(maxsize=1024)
def _forms(value: str) -> tuple[str, ...]:
    raw = value.encode("utf-8", "surrogateescape")
    encoded = {
        quote(value, safe="", errors="replace"),
        quote(value, errors="replace"),
        quote_plus(value, errors="replace"),
    }
    forms = {
        value,
        *encoded,
        *(re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), each) for each in encoded),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        json.dumps(value)[1:-1].replace("/", "\\/"),
        repr(value)[1:-1],
        html.escape(value),
        html.escape(value, quote=False),
        html.escape(value).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
        value.replace("'", "''"),
        raw.hex(),
        *_base64_forms(raw),
    }
    return tuple(form for form in forms if len(form) >= SHORTEST_SECRET)


def _base64_forms(raw: bytes) -> Iterator[str]:
    """As it is alone and within longer content, e.g. id:secret, which can begin at each of the three bytes of a group:
    the characters that its neighbours have no part in."""
    for before in range(3):
        text = base64.b64encode(b"\0" * before + raw).decode()
        begin = (before * 8 + 5) // 6
        end = (before + len(raw)) * 8 // 6
        for each in (text[begin:end], text[begin:end].replace("+", "-").replace("/", "_")):
            if len(each) >= SHORTEST_SECRET:
                yield each


def _named() -> Iterator[tuple[str, str]]:
    """Secrets and the settings that hold them."""
    variables = readable_environment()
    own = {name.removesuffix(FILE) for name in variables if name.removesuffix(FILE).startswith(PER_ACCOUNT)}
    for name in sorted(NAMES | own):
        for value in readable([name]):
            # The path of a file is no secret; what is no path can be the secret itself.
            if not (name + FILE in variables and value.startswith("/")):
                yield name, value
    with contextlib.suppress(SettingError, configparser.Error):
        yield from _database_url()
    with contextlib.suppress(SettingError, configparser.Error):
        yield from _kept(storage().root)


def _set_values() -> Iterator[str]:
    for _, value in _named():
        yield value
    sources: list[Callable[[], Iterable[str]]] = [_webhook, _notify_urls, _misplaced, _within_addresses]
    for source in sources:
        with contextlib.suppress(SettingError, configparser.Error, OSError, ValueError):
            yield from source()
    with contextlib.suppress(SettingError, configparser.Error):
        yield from secret_parts(_url())


def _url() -> str:
    return next(readable(["DATABASE_URL"]), "") or postgres().url


def _database_url() -> Iterator[tuple[str, str]]:
    url = _url()
    parts = secret_parts(url)
    if len(parts) == 3 and parts[1]:  # one that can be read
        yield "the password in DATABASE_URL", parts[1]


def _kept(root: Path) -> Iterator[tuple[str, str]]:
    for path in filter(Path.is_file, (root / "metabase").glob("*")):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            if value := path.read_text(encoding="utf-8").strip():
                yield str(path), value


def _stored_tokens(root: Path) -> Iterator[str]:
    """Also of files that are damaged, or were set aside as such. A pipe would keep the reader waiting: no file."""
    for path in filter(Path.is_file, (root / "tokens").glob("*")):
        with contextlib.suppress(OSError):
            yield from TOKEN.findall(path.read_text(encoding="utf-8", errors="replace"))


def _webhook() -> Iterator[str]:
    for url in readable(["SLACK_WEBHOOK_URL"]):
        path = urlsplit(url).path
        yield from (url, path, *(part for part in path.split("/") if len(part) >= LONG))


def _notify_urls() -> Iterator[str]:
    for url in notify_urls():
        found = urlsplit(url)
        keys = (part for part in (found.username, *found.path.split("/")) if part and len(part) >= LONG)
        yield from (url, unquote(found.password or ""), *keys)


def _misplaced() -> Iterator[str]:
    """NAME_FILE that is no path: it can be the secret itself."""
    for name, value in readable_environment().items():
        stem = name.removesuffix(FILE)
        if name != stem and not value.startswith("/") and (stem in NAMES or stem.startswith(PER_ACCOUNT)):
            yield value


def _within_addresses() -> Iterator[str]:
    urls = [*readable(["LUIGI_SCHEDULER_URL", "LUIGI_VISUALISER_URL"])]
    settings: list[Callable[[], list[str]]] = [
        lambda: [spotify().api_url, spotify().accounts_url],
        lambda: [musicbrainz().url],
        lambda: [slack().api_url],
        lambda: [metabase().url],
    ]
    for read in settings:
        with contextlib.suppress(SettingError, configparser.Error):
            urls += read()
    for url in urls:
        with contextlib.suppress(ValueError):
            password = urlsplit(url).password or ""
            yield from (password, unquote(password))
