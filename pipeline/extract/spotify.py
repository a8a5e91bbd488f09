"""The Spotify Web API client. Knows HTTP and tokens, nothing of files of plays or of Luigi.

Source of the format: Spotify Web API reference, "Get Recently Played Tracks", and the authorization guide.
"""

from __future__ import annotations

from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from pipeline import config
from pipeline.extract.answers import RETRIES, raise_for_status, send_patiently, utc_now
from pipeline.extract.errors import SpotifyUnreachable
from pipeline.extract.tokens import Tokens, read_tokens, refresh, write_tokens

PAGE = 50


class SpotifyClient:
    """One account's way to the Web API. The caller holds the account's lock: one process refreshes at a time."""

    def __init__(self, settings: config.spotify, data: Path, account: str) -> None:
        self.settings = settings
        self.data = data
        self.account = account
        self.tokens: Tokens | None = None
        self.session = requests.Session()
        self.session.headers["User-Agent"] = "listening-history-pipeline"
        # 429 is not here: how long to wait decides whether to wait at all, see send_patiently.
        retry = Retry(
            total=RETRIES,
            backoff_factor=0.3,
            status_forcelist=(500, 502, 503, 504),
            allowed_methods=None,
            respect_retry_after_header=False,
            raise_on_status=False,
        )
        for scheme in ("https://", "http://"):
            self.session.mount(scheme, HTTPAdapter(max_retries=retry))

    def fetch_recently_played(self) -> bytes:
        """The last 50 plays, the body as it came. Never with a cursor: late and out-of-order plays are in there too."""
        return self._get("/me/player/recently-played", {"limit": str(PAGE)}).content

    def _get(self, path: str, parameters: dict[str, str]) -> requests.Response:
        try:
            token = self._access_token()
            response = send_patiently(lambda: self._send(path, parameters, token))
            if response.status_code == 401:
                renewed = self._access_token(renew=True)
                response = send_patiently(lambda: self._send(path, parameters, renewed))
        except requests.exceptions.RequestException as error:
            # The cause is named by type alone: its text can hold addresses with credentials.
            raise SpotifyUnreachable(
                f"no answer from {self.settings.api_url} or {self.settings.accounts_url} after {RETRIES} retries"
                f" ({type(error).__name__}). Check the network; the next slot asks again, nothing is lost"
                " until 50 further plays have been heard"
            ) from None
        raise_for_status(response)
        return response

    def _send(self, path: str, parameters: dict[str, str], token: str) -> requests.Response:
        return self.session.get(
            self.settings.api_url.rstrip("/") + path,
            params=parameters,
            headers={"Authorization": f"Bearer {token}"},
            timeout=self.settings.timeout,
        )

    def _access_token(self, renew: bool = False) -> str:
        now = utc_now()
        tokens = self.tokens or read_tokens(self.data, self.account, self.settings.refresh_token, now)
        if renew or not tokens.valid_at(now):
            tokens = refresh(
                self.session,
                self.settings.accounts_url,
                self.settings.client_id,
                self.settings.client_secret,
                tokens,
                now,
                self.settings.timeout,
            )
            write_tokens(self.data, self.account, tokens)
        self.tokens = tokens
        return tokens.access_token
