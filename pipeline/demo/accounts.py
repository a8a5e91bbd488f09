"""The accounts host of the sample Spotify: consent, authorization codes, tokens.

    GET  /authorize      the page on which a person agrees; sends the browser back with a code, or with an error
    POST /api/token      authorization_code with PKCE, refresh_token; rotation, expiry, a consent that ends

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
from urllib.parse import parse_qs, urlencode, urlsplit

from pipeline.demo.loopback import Answer
from pipeline.demo.person import Person

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
    access_tokens: dict[str, tuple[Person, datetime.datetime]] = field(default_factory=dict)
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

    def person_of(self, authorization: str, now: datetime.datetime) -> Person | None:
        """Who the bearer of an access token is, while it is valid."""
        person, until = self.access_tokens.get(authorization.removeprefix("Bearer "), (None, now))
        return person if now < until else None

    def authorize(self, target: str, person: Person) -> Answer:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
        if asked.get("client_id") != self.client_id:
            return Answer("", 400, b"INVALID_CLIENT: Invalid client", {"Content-Type": "text/plain"})
        back = asked.get("redirect_uri", "")
        if back not in self.redirect_uris:
            return Answer("", 400, b"INVALID_CLIENT: Invalid redirect URI", {"Content-Type": "text/plain"})
        if self.denied:
            given = {"error": "access_denied"}
        else:
            code = self._issue()
            self.codes[code] = Code(person, asked.get("code_challenge", ""), back)
            given = {"code": code}
            person.scopes = asked.get("scope", "").split()
        query = urlencode({**given, "state": asked.get("state", "")})
        return Answer("", 302, b"", {"Location": f"{back}?{query}"})

    def token(self, headers: Any, body: bytes, now: datetime.datetime) -> Answer:
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        if form.get("grant_type") == "authorization_code":
            return self._exchange(form, now)
        given = form.get("refresh_token", "")
        consent = self.refresh_tokens.get(given)
        if not self._is_client(headers, form, pkce=consent.pkce if consent else self.client_secret is None):
            return _refused("invalid_client")
        if form.get("grant_type") != "refresh_token" or consent is None:
            return _refused("invalid_grant", "Refresh token revoked")
        if now >= consent.given_at + CONSENT:
            return _refused("invalid_grant", "Refresh token expired")
        renewed = None
        if self.rotate:
            renewed = self._issue()
            self.refresh_tokens[renewed] = self.refresh_tokens.pop(given)
        return self._granted(consent.person, renewed, now)

    def _exchange(self, form: dict[str, str], now: datetime.datetime) -> Answer:
        code = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if form.get("client_id") != self.client_id:
            return _refused("invalid_client")
        if code is None:
            return _refused("invalid_grant", "Invalid authorization code")
        if code.redirect_uri != form.get("redirect_uri"):
            return _refused("invalid_grant", "Invalid redirect URI")
        if code.challenge != challenge:
            return _refused("invalid_grant", "code_verifier was incorrect")
        return self._granted(code.person, self.consent(code.person, now, pkce=True), now)

    def _is_client(self, headers: Any, form: dict[str, str], pkce: bool) -> bool:
        if pkce:
            return form.get("client_id") == self.client_id and "Authorization" not in headers
        basic = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        return bool(headers.get("Authorization") == f"Basic {basic}")

    def _granted(self, person: Person, refresh_token: str | None, now: datetime.datetime) -> Answer:
        access = self._issue()
        self.access_tokens[access] = (person, now + datetime.timedelta(seconds=self.token_seconds))
        token = {"access_token": access, "token_type": "Bearer", "expires_in": self.token_seconds}
        if refresh_token:
            token["refresh_token"] = refresh_token
        return Answer("", 200, json.dumps({**token, "scope": " ".join(person.scopes)}).encode())

    def _issue(self) -> str:
        secret = secrets.token_urlsafe(24)
        SampleAccounts.issued.add(secret)
        return secret


def _refused(error: str, description: str = "") -> Answer:
    body = {"error": error, **({"error_description": description} if description else {})}
    return Answer("", 400, json.dumps(body).encode())
