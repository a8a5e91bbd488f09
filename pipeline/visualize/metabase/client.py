"""The Metabase REST API, as far as a dashboard needs it. Knows HTTP, nothing of cards or of Luigi.

Source of the format: https://www.metabase.com/docs/latest/api, and the OpenAPI document that each server gives out at
/api/docs/openapi.json.
"""

from __future__ import annotations

import logging
import time
from typing import Any

import requests

from pipeline import config
from pipeline.exchange import bound_session
from pipeline.visualize.metabase.errors import (
    MetabaseUnreachable,
    NotAllowed,
    NotFound,
    Refused,
    UnexpectedAnswer,
)

logger = logging.getLogger("luigi-interface")
Json = dict[str, Any]
POLL_SECONDS = 1.0
LONGEST_WORDS = 500
# Of what was sent and may be repeated in an answer.
SECRETS = ("password", "password_confirm", "token")


class Metabase:
    """One session. `api_key`, or `session_id` of a login; with neither, what anybody may ask."""

    def __init__(self, url: str, timeout: float, api_key: str = "", session_id: str = "") -> None:
        self.url = url.rstrip("/")
        self.timeout = timeout
        self.session = requests.Session()
        bound_session(self.session)
        self.session.headers["User-Agent"] = "listening-history-pipeline"
        config.remember(api_key, session_id)
        if api_key:
            self.session.headers["x-api-key"] = api_key
        if session_id:
            self.session.headers["X-Metabase-Session"] = session_id

    def wait_until_started(self, patience: float) -> Json:
        """The public properties of a Metabase that has started; while it says that it is starting, so is said here.

        Health turns green before everything is served, so that the properties are waited for as well.
        """
        deadline = time.monotonic() + patience
        said = ""
        while True:
            answer = self._send("GET", "/api/health")
            if answer.status_code == 200:
                answer = self._send("GET", "/api/session/properties")
                if answer.status_code == 200:
                    return self._read("GET /api/session/properties", answer, dict)  # type: ignore[no-any-return]
            if answer.status_code != 503:
                self._raise_for_status("GET /api/health", answer, None)
            state = _starting(answer)
            if state != said:
                logger.info("Metabase at %s is not ready yet: %s", self.url, state)
                said = state
            if time.monotonic() > deadline:
                raise MetabaseUnreachable(
                    f"Metabase at {self.url} has not started in {patience:.0f} seconds ({state}). Its first start takes"
                    " a minute or two; see its log, then run this again, or raise [metabase] patience"
                )
            time.sleep(POLL_SECONDS)

    def get(self, path: str, **parameters: Any) -> Any:
        return self._call("GET", path, parameters=parameters)

    def post(self, path: str, body: Json) -> Any:
        return self._call("POST", path, body)

    def put(self, path: str, body: Json) -> Any:
        return self._call("PUT", path, body)

    def _call(self, method: str, path: str, body: Json | None = None, parameters: Json | None = None) -> Any:
        """The answer's JSON. Raises MetabaseError; nothing is tried again: it would fail again."""
        answer = self._send(method, path, body, parameters)
        self._raise_for_status(f"{method} {path}", answer, body)
        return self._read(f"{method} {path}", answer)

    def _send(
        self, method: str, path: str, body: Json | None = None, parameters: Json | None = None
    ) -> requests.Response:
        config.remember(*_secrets(body))
        try:
            # A redirect would turn a POST into a GET that answers something else.
            return self.session.request(
                method, self.url + path, json=body, params=parameters, timeout=self.timeout, allow_redirects=False
            )
        except requests.Timeout:
            raise MetabaseUnreachable(
                f"Metabase at {self.url} has not answered {method} {path} in {self.timeout:g} seconds."
                " See whether it is well, then run this again; what was published stays"
            ) from None
        except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError) as error:
            raise MetabaseUnreachable(
                f"the answer of Metabase at {self.url} to {method} {path} was cut off ({type(error).__name__}). See"
                " whether Metabase or a proxy before it was restarted, then run this again; what was published stays"
            ) from None
        except requests.RequestException as error:
            raise MetabaseUnreachable(
                f"nobody answers at {self.url} ({type(error).__name__}). Start Metabase, or correct METABASE_URL; it is"
                " of the form http://localhost:3000"
            ) from None

    def _raise_for_status(self, call: str, answer: requests.Response, body: Json | None) -> None:
        status = answer.status_code
        if 200 <= status < 300:
            return
        words = _words(answer)
        if status == 401:
            raise NotAllowed(
                f"Metabase does not know the key or password that it was given ({call}: 401 {words}). Run"
                " python -m pipeline metabase setup to make a new key, or correct METABASE_API_KEY"
            )
        if status == 403:
            raise NotAllowed(
                f"Metabase does not allow {call} (403 {words}). The key must be of the group Administrators"
            )
        if status == 404:
            raise NotFound(f"Metabase has nothing there ({call}: 404 {words})")
        if status in (400, 422):
            fields = _fields(answer)
            told = "; ".join(f"{name}: {text}" for name, text in fields.items())
            raise Refused(f"Metabase refuses {call} ({told or words})", fields)
        if status in (301, 302, 307, 308):
            target = config.scrub(answer.headers.get("Location", ""))
            raise UnexpectedAnswer(f"{self.url} sends on to {target}: write the address it ends at into METABASE_URL")
        raise UnexpectedAnswer(
            f"Metabase failed at {call} (status {status}: {words}). Its log says why; run this again when it is well"
        )

    def _read(self, call: str, answer: requests.Response, kind: type = object) -> Any:
        if answer.status_code == 204 or not answer.content:
            return None
        try:
            found = answer.json()
        except ValueError:
            found = None
        if found is None or not isinstance(found, kind):
            raise UnexpectedAnswer(
                f"what answers at {self.url} is no Metabase: {call} gave no JSON. Correct METABASE_URL"
            )
        return found


def _starting(answer: requests.Response) -> str:
    """How far Metabase has come, in words."""
    try:
        health = answer.json()
        status = config.scrub(str(health["status"]))[:LONGEST_WORDS]
        return f"{status}, {float(health['progress']):.0%}" if "progress" in health else status
    except (ValueError, KeyError, TypeError):
        return f"status {answer.status_code}"


def _words(answer: requests.Response) -> str:
    """What Metabase says of a failure, without secrets, shortened. It answers in text, or in JSON with a message."""
    try:
        body = answer.json()
    except ValueError:
        body = answer.text
    if isinstance(body, dict):
        body = body.get("message") or body.get("error") or body.get("errors") or body
    return " ".join(config.scrub(str(body)).split())[:LONGEST_WORDS]


def _fields(answer: requests.Response) -> dict[str, str]:
    """`errors`, and `specific-errors` where it says more: field → words, without secrets."""
    try:
        body = answer.json()
    except ValueError:
        return {}
    if not isinstance(body, dict):
        return {}
    found = {config.scrub(name): config.scrub(text)[:LONGEST_WORDS] for name, text in _flat(body.get("errors"))}
    if body.get("message"):
        return {"message": config.scrub(str(body["message"]))[:LONGEST_WORDS], **found}
    return found


def _flat(errors: Any, path: str = "") -> list[tuple[str, str]]:
    if isinstance(errors, dict):
        return [pair for name, value in errors.items() for pair in _flat(value, f"{path}.{name}" if path else name)]
    return [(path or "error", str(errors))] if errors else []


def _secrets(body: Any) -> list[str]:
    """Secrets of a request, wherever they stand in it."""
    if not isinstance(body, dict):
        return []
    found = [value for name, value in body.items() if name in SECRETS and isinstance(value, str) and value]
    return found + [secret for value in body.values() for secret in _secrets(value)]
