"""The Spotify Web API client. Knows HTTP, tokens and pauses, nothing of files of plays or of Luigi.

Source of the format: Spotify Web API reference and authorization guide.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import requests

from pipeline import config
from pipeline.exchange import bound_session
from pipeline.extract.answers import RETRIES, raise_for_status, retried, send_patiently, utc_now
from pipeline.extract.errors import (
    ConsentEnded,
    Paused,
    RateLimited,
    SpotifyError,
    SpotifyUnreachable,
    UnexpectedAnswer,
    WrongPerson,
)
from pipeline.extract.identity import any_identity, confirm_identity, user_ids
from pipeline.extract.pause import Pause, current_pause, write_pause
from pipeline.extract.refresh import consent_ended, refresh
from pipeline.extract.tokens import Tokens, read_tokens, reserved_store, token_lock, write_tokens

logger = logging.getLogger("luigi-interface")
PAGE = 50
SPOTIFY_ID = re.compile(r"[A-Za-z0-9]{1,64}")


class SpotifyClient:
    """One account's way to the Web API. Nothing is sent while the account is paused or its consent has ended.

    Raises SettingError if tokens would be sent over http.

    `calls`: how many requests were sent, retries and tokens included.
    """

    def __init__(self, settings: config.spotify, data: Path, account: str) -> None:
        settings.check_addresses()
        self.settings = settings
        self.data = data
        self.account = account
        self.tokens: Tokens | None = None
        self.session = requests.Session()
        self.session.headers["User-Agent"] = "listening-history-pipeline"
        # A token request is repeated like a GET: if its response was lost, no later request has a better chance.
        # 429 is not repeated here: how long to wait decides whether to wait at all, see send_patiently.
        self._exchanges = bound_session(self.session, RETRIES)

    @property
    def calls(self) -> int:
        return self._exchanges.sent

    def fetch_recently_played(self) -> bytes:
        """The last 50 plays, the body as it came. Never with a cursor: late and out-of-order plays are in there too."""
        return self.get("/me/player/recently-played", limit=PAGE)

    def fetch_artist(self, artist_id: str) -> bytes:
        """One artist. Raises UnexpectedAnswer, without a call, for what cannot be an id of Spotify's."""
        if not SPOTIFY_ID.fullmatch(artist_id):
            raise UnexpectedAnswer(f"{artist_id[:40]!r} is no id of an artist")
        return self.get(f"/artists/{artist_id}")

    def fetch_saved_tracks(self, offset: int, limit: int) -> bytes:
        """One page of the library, newest first."""
        return self.get("/me/tracks", limit=limit, offset=offset)

    def get(self, path: str, **parameters: str | int) -> bytes:
        """The body of a 200, with *** in place of tokens that it returns.

        Raises SpotifyError; a long wait that Spotify asks for is kept as the account's pause.
        """
        self.raise_if_paused()
        try:
            return self._get(path, parameters)
        except RateLimited as limit:
            pause = Pause(utc_now().isoformat(), limit.retry_at.isoformat(), limit.reason)
            write_pause(self.data, self.account, pause)
            if limit.reason == "quota":
                # One incident is enough: the others' pauses count as told.
                for other in self.settings.sharing_quota(self.account):
                    write_pause(self.data, other, replace(pause, told=True))
            raise

    def raise_if_paused(self) -> None:
        if pause := current_pause(self.data, self.account, utc_now()):
            raise Paused(
                f"account {self.account!r} is paused until {pause.ends_at:%Y-%m-%d %H:%M} UTC ({pause.reason}):"
                " nothing is asked of Spotify before",
                pause.ends_at,
                pause.reason,
            )

    def _get(self, path: str, parameters: Mapping[str, str | int]) -> bytes:
        try:
            token = self._access_token()
            response = send_patiently(lambda: self._ask(path, parameters, token))
            if response.status_code == 401:
                renewed = self._access_token(refused=token)
                response = send_patiently(lambda: self._ask(path, parameters, renewed))
        except requests.exceptions.RequestException as error:
            # The cause is named by type alone: its text can hold addresses with credentials.
            raise SpotifyUnreachable(
                f"no answer from {self.settings.api_url} or {self.settings.accounts_url} after {retried(error)}"
                f" ({type(error).__name__}). Check the network; the next slot asks again, nothing is lost"
                " until 50 further plays have been heard"
            ) from None
        raise_for_status(response)
        tokens = self.tokens
        mine = (tokens.access_token, tokens.refresh_token) if tokens else ()
        # These only: a short password of the settings can be a word in a title.
        return config.scrub_body(response.content, (*mine, self.settings.application(self.account).client_secret))

    def _ask(self, path: str, parameters: Mapping[str, str | int], token: str) -> requests.Response:
        url = self.settings.api_url.rstrip("/") + path
        return self._send(self.session.get, url, params=parameters, headers={"Authorization": f"Bearer {token}"})

    def _send(self, send: Callable[..., requests.Response], url: str, **options: Any) -> requests.Response:
        # Not redirected: no endpoint of Spotify's redirects, and a redirect would carry tokens to another host.
        return send(url, timeout=self.settings.timeout, allow_redirects=False, **options)

    def _access_token(self, refused: str = "") -> str:
        """An access token that is good, as far as can be known here, and is not the one that was `refused`."""
        tokens = self.tokens or self._stored_tokens()
        if tokens.access_token == refused or not tokens.valid_at(utc_now()):
            tokens = self._refreshed(refused)
        self.tokens = tokens
        if not tokens.account_id:
            self.tokens = self._identified(tokens)
        return tokens.access_token

    def _stored_tokens(self) -> Tokens:
        tokens = read_tokens(
            self.data,
            self.account,
            self.settings.refresh_token(self.account),
            self.settings.application(self.account),
            utc_now(),
        )
        if tokens.ended:
            raise consent_ended(self.account, tokens.ended)
        return tokens

    def _refreshed(self, refused: str) -> Tokens:
        """The store's tokens with a new access token, saved before it is used; another process's, if it was quicker."""
        with token_lock(self.data, self.account):
            tokens = self._stored_tokens()
            if tokens.access_token != refused and tokens.valid_at(utc_now()):
                return tokens
            with reserved_store(self.data, self.account) as save:
                try:
                    tokens, fault = refresh(
                        lambda url, **form: self._send(self.session.post, url, **form), self.settings, tokens, utc_now()
                    )
                except ConsentEnded as error:
                    save(replace(tokens, access_token="", ended=error.words))
                    raise
                save(tokens)
            if fault:
                raise UnexpectedAnswer(fault)
            return tokens

    def _identified(self, tokens: Tokens) -> Tokens:
        """A token of the settings says nothing of whose it is: Spotify is asked, before it brings a single play."""
        try:
            response = send_patiently(lambda: self._ask("/me", {}, tokens.access_token))
            raise_for_status(response)
            person = user_ids(response.json())
            confirm_identity(self.data, self.account, *person)
        except WrongPerson:
            # Neither used nor sent again. A new token in the settings, or a new consent, takes its place.
            with token_lock(self.data, self.account):
                ended = replace(self._stored_tokens(), access_token="", ended="another person's consent", told=True)
                write_tokens(self.data, ended)
            raise
        except (SpotifyError, ValueError) as error:
            if isinstance(error, RateLimited) or any_identity(self.data) or len(self.settings.account_names) > 1:
                raise  # with more than one person about, plays of nobody knows whom are not taken in
            logger.warning(
                "%s: whose account it is could not be asked (%s); the next call asks again", self.account, error
            )
            return tokens
        with token_lock(self.data, self.account):
            identified = replace(self._stored_tokens(), account_id=person.best)
            write_tokens(self.data, identified)
            return identified
