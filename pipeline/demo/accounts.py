"""The accounts host of the sample Spotify: consent, authorization codes, tokens.

    GET  /authorize      the page on which a person agrees; sends the browser back with a code, or with an error
    POST /api/token      authorization_code (with PKCE or with the secret), refresh_token, client_credentials; rotation,
                         expiry, a consent that ends

Source of the format: Spotify's authorization guide, "Authorization Code with PKCE Flow" and "Refreshing tokens".
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from pipeline.demo.loopback import Answer
from pipeline.demo.person import Person

AUTHORIZE = set(
    "client_id response_type redirect_uri state scope show_dialog code_challenge_method code_challenge".split()
)
# Grant → names of its fields; the first ones are required. spotipy 2.26 sends scope and state with a code.
GRANTS = {
    "authorization_code": ("code", "redirect_uri", "code_verifier", "client_id", "scope", "state"),
    "refresh_token": ("refresh_token", "client_id"),
    "client_credentials": ("scope",),
}
REQUIRED = {"authorization_code": 2, "refresh_token": 1, "client_credentials": 0}
FORM = "application/x-www-form-urlencoded"
# "A refresh token dies six months after the user's consent."
CONSENT = datetime.timedelta(days=182)


@dataclass
class Consent:
    """What a refresh token stands for."""

    person: Person
    given_at: datetime.datetime
    pkce: bool


@dataclass(frozen=True)
class Code:
    person: Person
    challenge: str
    redirect_uri: str


@dataclass
class SampleAccounts:
    """Whom the sample Spotify lets in. Every secret it ever issued is in `issued`, so that tests can look for leaks."""

    client_id: str
    client_secret: str | None
    rotate: bool
    token_seconds: int
    redirect_uris: set[str] = field(default_factory=lambda: {"http://127.0.0.1:8888/callback"})
    refresh_tokens: dict[str, Consent] = field(default_factory=dict)
    access_tokens: dict[str, tuple[Person | None, datetime.datetime]] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    denied: bool = False
    issued: ClassVar[set[str]] = set()

    def consent(self, person: Person, now: datetime.datetime, pkce: bool = False) -> str:
        """A new refresh token of `person`; the ones before stay good, as at Spotify."""
        token = self._issue()
        self.refresh_tokens[token] = Consent(person, now, pkce)
        return token

    def revoke(self, person: Person) -> None:
        self.refresh_tokens = {t: c for t, c in self.refresh_tokens.items() if c.person is not person}

    def bearer(self, authorization: str, now: datetime.datetime) -> tuple[bool, Person | None]:
        """Whether the access token is valid, and whose it is; None for the application's own."""
        person, until = self.access_tokens.get(authorization.removeprefix("Bearer "), (None, now))
        return now < until, person

    def refuse(self, method: str, target: str, headers: Any, body: bytes) -> tuple[Answer | None, list[str]]:
        """The response to a malformed request, and its faults. A parameter that Spotify ignores is only a fault."""
        if urlsplit(target).path == "/authorize":
            given = dict(parse_qsl(urlsplit(target).query))
            ignored = [f"Spotify ignores the parameter {name}" for name in given if name not in AUTHORIZE]
            if method != "GET" or given.get("response_type") != "code":
                return _plain("response_type must be code"), ["response_type is not code"]
            if "code_challenge" in given and given.get("code_challenge_method") != "S256":
                return _plain("code_challenge_method must be S256"), ["code_challenge_method is not S256"]
            return None, ignored
        form = dict(parse_qsl(body.decode()))
        grant = form.pop("grant_type", "")
        if method != "POST":
            return Answer("", 405, b"", {"Allow": "POST"}), ["the method must be POST"]
        if headers.get_content_type() != FORM:
            return _refused("unsupported_grant_type", "grant_type parameter is missing"), [f"not {FORM}"]
        if grant not in GRANTS:
            words = f"grant_type must be {', '.join(GRANTS)}"
            return _refused("unsupported_grant_type", words), [words]
        missing = [name for name in GRANTS[grant][: REQUIRED[grant]] if not form.get(name)]
        if missing:
            return _refused("invalid_request", f"{missing[0]} must be supplied"), [f"{missing[0]} is missing"]
        return None, [f"Spotify ignores the field {name}" for name in form if name not in GRANTS[grant]]

    def authorize(self, target: str, person: Person) -> Answer:
        asked = dict(parse_qsl(urlsplit(target).query))
        if asked.get("client_id") != self.client_id:
            return _plain("INVALID_CLIENT: Invalid client")
        back = asked.get("redirect_uri", "")
        if back not in self.redirect_uris:
            return _plain("INVALID_CLIENT: Invalid redirect URI")
        if self.denied:
            given = {"error": "access_denied"}
        else:
            code = self._issue()
            self.codes[code] = Code(person, asked.get("code_challenge", ""), back)
            given = {"code": code}
            person.scopes = asked.get("scope", "").split()
        if "state" in asked:
            given["state"] = asked["state"]
        query = urlencode(given)
        return Answer("", 302, b"", {"Location": f"{back}?{query}"})

    def token(self, headers: Any, body: bytes, now: datetime.datetime) -> Answer:
        form = dict(parse_qsl(body.decode()))
        if form["grant_type"] == "authorization_code":
            return self._exchange(headers, form, now)
        if form["grant_type"] == "client_credentials":
            if not self._is_client(headers, form, pkce=False):
                return _refused("invalid_client")
            return self._granted(None, None, now)
        given = form["refresh_token"]
        consent = self.refresh_tokens.get(given)
        if not self._is_client(headers, form, pkce=consent.pkce if consent else self.client_secret is None):
            return _refused("invalid_client")
        if consent is None:
            return _refused("invalid_grant", "Refresh token revoked")
        if now >= consent.given_at + CONSENT:
            return _refused("invalid_grant", "Refresh token expired")
        renewed = None
        if self.rotate:
            renewed = self._issue()
            self.refresh_tokens[renewed] = self.refresh_tokens.pop(given)
        return self._granted(consent.person, renewed, now)

    def _exchange(self, headers: Any, form: dict[str, str], now: datetime.datetime) -> Answer:
        code = self.codes.pop(form["code"], None)
        pkce = bool(code.challenge) if code else "Authorization" not in headers
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if not self._is_client(headers, form, pkce):
            return _refused("invalid_client")
        if code is None:
            return _refused("invalid_grant", "Invalid authorization code")
        if code.redirect_uri != form["redirect_uri"]:
            return _refused("invalid_grant", "Invalid redirect URI")
        if pkce and code.challenge != challenge:
            return _refused("invalid_grant", "code_verifier was incorrect")
        return self._granted(code.person, self.consent(code.person, now, pkce), now)

    def _is_client(self, headers: Any, form: dict[str, str], pkce: bool) -> bool:
        if pkce:
            return form.get("client_id") == self.client_id and "Authorization" not in headers
        basic = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        return bool(headers.get("Authorization") == f"Basic {basic}")

    def _granted(self, person: Person | None, refresh_token: str | None, now: datetime.datetime) -> Answer:
        access = self._issue()
        self.access_tokens[access] = (person, now + datetime.timedelta(seconds=self.token_seconds))
        token = {"access_token": access, "token_type": "Bearer", "expires_in": self.token_seconds}
        if refresh_token:
            token["refresh_token"] = refresh_token
        if person:
            token["scope"] = " ".join(person.scopes)
        return Answer("", 200, json.dumps(token).encode())

    def _issue(self) -> str:
        secret = secrets.token_urlsafe(24)
        SampleAccounts.issued.add(secret)
        return secret


def _refused(error: str, description: str = "") -> Answer:
    body = {"error": error, **({"error_description": description} if description else {})}
    return Answer("", 400, json.dumps(body).encode())


def _plain(words: str) -> Answer:
    return Answer("", 400, words.encode(), {"Content-Type": "text/plain"})
