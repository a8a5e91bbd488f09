"""The sample Metabase itself: who is let in, and which call goes where."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pipeline.demo.loopback import Answer, LoopbackServer
from tests.metabase.bodies import Json, Refusal, checked
from tests.metabase.content import Content
from tests.metabase.warehouse import Warehouses

ADMINISTRATORS = 2
MOST_WRONG_PASSWORDS = 3
OPEN = {"GET /api/health", "GET /api/session/properties", "POST /api/setup", "POST /api/session"}
Handler = Callable[..., Any]
ROUTES: list[tuple[re.Pattern[str], frozenset[str], Handler]] = []


def route(call: str, *parameters: str) -> Callable[[Handler], Handler]:
    """Names a handler's call, in which `:x` is an argument, and the query parameters that Metabase documents."""
    pattern = re.compile(re.sub(r":\w+", r"([^/ ]+)", call))

    def add(handler: Handler) -> Handler:
        ROUTES.append((pattern, frozenset(parameters), handler))
        return handler

    return add


class SampleMetabase(LoopbackServer):
    """`with SampleMetabase() as metabase:` serves a Metabase that nobody has set up.

    `version`: its tag. `dropped`: keys that it was sent and does not know. `writes`: calls that have changed something.
    """

    def __init__(self, version: str = "v0.63.16.5") -> None:
        super().__init__()
        handler: Any = self._server.RequestHandlerClass
        handler.do_PUT = handler.do_DELETE = handler.do_POST
        self.version = version
        self.setup_token: str | None = str(uuid.uuid4())
        self.users: dict[str, Json] = {}
        self.wrong_passwords = 0
        self.sessions: dict[str, Json] = {}
        self.keys: dict[int, Json] = {}
        self.secrets: set[str] = set()
        self.dropped: list[str] = []
        self.warehouses = Warehouses()
        self.content = Content(self.warehouses)

    @property
    def writes(self) -> list[str]:
        """Without those that read: a query, and the reading of tables."""
        reading = ("GET ", "POST /api/session")
        return [
            call
            for call in self.calls
            if not call.startswith(reading) and not call.endswith(("/sync_schema", "/query"))
        ]

    def refuse(self, method: str, target: str, headers: Any, body: bytes) -> Answer | None:
        url = urlsplit(target)
        call = f"{method} {url.path}"
        known = next((parameters for pattern, parameters, _ in ROUTES if pattern.fullmatch(call)), None)
        if known is None:
            self.malformed.append(f"{call}: no such endpoint")
            return _answer(404, "API endpoint does not exist.")
        self.malformed += [
            f"{call}: Metabase ignores the parameter {name}" for name in parse_qs(url.query) if name not in known
        ]
        if body and headers.get_content_type() != "application/json":
            self.malformed.append(f"{call}: the body is not application/json")
            return _answer(400, {"errors": {"body": "Unexpected content type."}, "specific-errors": {}})
        return None

    def respond(self, method: str, target: str, headers: Any, body: bytes) -> Answer:
        url = urlsplit(target)
        call = f"{method} {url.path}"
        try:
            user = self._user(headers)
            if call not in OPEN and user is None:
                raise Refusal(401, "Unauthenticated")
            for pattern, _, handler in ROUTES:
                if found := pattern.fullmatch(call):
                    if user is not None and not user["is_superuser"] and method != "GET":
                        raise Refusal(403, "You don't have permissions to do that.")
                    request = Request(self, user, parse_qs(url.query), json.loads(body or b"null"))
                    return _answer(202 if call.endswith("/query") else 200, handler(request, *found.groups()))
            raise Refusal(404, "API endpoint does not exist.")
        except Refusal as refusal:
            return _answer(refusal.status, refusal.body)

    def _user(self, headers: Any) -> Json | None:
        key, session = headers.get("x-api-key"), headers.get("X-Metabase-Session")
        if key:
            group = next((each["group_id"] for each in self.keys.values() if each["unmasked_key"] == key), None)
            return group and {"id": 2, "common_name": "key", "is_superuser": group == ADMINISTRATORS}
        return self.sessions.get(session or "")

    def add_administrator(self, email: str = "ann@example.org", password: str = "correct horse 1") -> None:
        """As if somebody had gone through the first pages."""
        self.users[email] = {"id": 1, "email": email, "password": password, "is_superuser": True}
        self.setup_token = None
        self.secrets.add(password)

    def add_key(self, group: int = ADMINISTRATORS, name: str = "test") -> str:
        number = next(self.content.ids)
        secret = f"mb_{uuid.uuid4().hex}"
        self.keys[number] = {"id": number, "name": name, "group_id": group, "unmasked_key": secret}
        self.secrets.add(secret)
        return secret


class Request:
    """A call that somebody has been let in for."""

    def __init__(self, metabase: SampleMetabase, user: Json | None, query: dict[str, list[str]], body: Any) -> None:
        self.metabase = metabase
        self.user = user
        self.query = query
        self._body = body

    @property
    def content(self) -> Content:
        return self.metabase.content

    def body(self, name: str) -> Json:
        before = len(self.metabase.dropped)
        body = checked(name, self._body, self.metabase.dropped)
        self.metabase.malformed += [f"Metabase drops the key {key}" for key in self.metabase.dropped[before:]]
        return body


def _answer(status: int, body: Any) -> Answer:
    if isinstance(body, str) and status >= 400:
        return Answer("", status, body.encode(), {"Content-Type": "text/plain"})
    return Answer("", status, json.dumps(body, default=str).encode())
