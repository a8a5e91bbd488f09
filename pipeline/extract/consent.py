"""What is said to Spotify for a consent: the link to it, the exchange of its code for tokens, whose tokens they are.

PKCE ties the exchange to the process that made the link, so that no client secret is needed, here or for the refreshes
to come. requests-oauthlib makes link and exchange; what it raises is never shown, for it may hold what is secret.

Source of the format: Spotify's authorization guide, "Authorization Code with PKCE Flow"; RFC 6749, RFC 7636.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from pipeline import config
from pipeline.exchange import bound_session
from pipeline.extract.answers import raise_for_status, send_patiently
from pipeline.extract.errors import ClientRejected, ConsentRefused, SpotifyUnreachable, UnexpectedAnswer
from pipeline.extract.identity import UserIds, user_ids
from pipeline.extract.token_response import is_token, read_object

NEEDED = "user-read-recently-played"
SCOPES = [NEEDED, "user-library-read"]
DASHBOARD = "your application on developer.spotify.com"
USER_AGENT = "listening-history-pipeline"


def open_session(settings: config.spotify, redirect_uri: str, account: str) -> Any:
    """An OAuth2Session for one consent."""
    from requests_oauthlib import OAuth2Session  # type: ignore[import-untyped]

    client_id = settings.application(account).client_id
    if not client_id:
        raise ClientRejected(f"SPOTIFY_CLIENT_ID is not set: copy it from {DASHBOARD}")
    settings.check_addresses()
    if urlsplit(settings.accounts_url).scheme != "https":
        os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # oauthlib's only way to a sample Spotify of this machine
    session = OAuth2Session(client_id, redirect_uri=redirect_uri, scope=SCOPES, pkce="S256")
    session.headers["User-Agent"] = USER_AGENT
    bound_session(session)  # without retries: a code is good for one request
    session.register_compliance_hook("access_token_response", _check_tokens)
    return session


def make_link(session: Any, settings: config.spotify) -> tuple[str, str]:
    """The address of Spotify's page of consent, and the state by which its answer is known."""
    # The page is shown even to those who agreed before: six months count from an agreement, and only there can
    # somebody else log in.
    link, state = session.authorization_url(f"{settings.accounts_url.rstrip('/')}/authorize", show_dialog="true")
    return str(link), str(state)


def fetch_tokens(session: Any, settings: config.spotify, address: str) -> dict[str, Any]:
    """Spotify's answer to the code in `address`: access_token, refresh_token, expires_in. Raises SpotifyError."""
    from oauthlib.oauth2 import OAuth2Error  # type: ignore[import-untyped]

    config.remember(*(value for name, value in parse_qsl(urlsplit(address).query) if name == "code"))
    session.scope = None  # what was granted is judged below: oauthlib would take any difference for an error
    try:
        granted: dict[str, Any] = session.fetch_token(
            f"{settings.accounts_url.rstrip('/')}/api/token",
            # oauthlib wants https here too, though it only parses the query.
            authorization_response=f"https://127.0.0.1/callback?{urlsplit(address).query}",
            include_client_id=True,
            timeout=settings.timeout,
        )
    except requests.exceptions.RequestException as error:
        raise _unreachable(settings.accounts_url, type(error).__name__) from None
    except OAuth2Error as error:
        if error.error == "access_denied":
            words = "Spotify sent the browser back with access_denied: you, or Spotify, said no. Run again and agree"
        else:
            named = config.scrub(str(error.error))[:60]
            words = f"Spotify sent the browser back with the error {named!r}, not with a code. Run again"
        raise ConsentRefused(words) from None
    except ValueError:
        raise UnexpectedAnswer("Spotify's answer to the code cannot be read. Run again") from None
    if granted.get("scope") and NEEDED not in granted["scope"]:
        raise ConsentRefused(f"the consent does not include {NEEDED}, without which no play can be read. Run again")
    return granted


def _check_tokens(response: requests.Response) -> requests.Response:
    """The answer to the code, if it holds tokens; otherwise the error that it stands for is raised."""
    status, answer = response.status_code, read_object(response)
    if status == 200 and all(is_token(answer.get(name)) for name in ("access_token", "refresh_token")):
        if not isinstance(answer.get("scope") or "", str):
            raise UnexpectedAnswer("Spotify's answer to the code cannot be read: scope is not a string. Run again")
        return response
    asked = dict(parse_qsl(str(response.request.body)))
    config.remember(asked.get("code"), asked.get("code_verifier"))
    error, words = (config.scrub(str(answer.get(name, ""))) for name in ("error", "error_description"))
    if error == "invalid_client" or status == 401:
        raise ClientRejected(f"Spotify does not know SPOTIFY_CLIENT_ID: copy the Client ID once more from {DASHBOARD}")
    if error == "invalid_grant" and "redirect" in words.lower():
        raise ConsentRefused(
            f'Spotify says "Invalid redirect URI": register exactly {asked.get("redirect_uri")} in {DASHBOARD}, then'
            " run again"
        )
    if error == "invalid_grant":
        raise ConsentRefused("Spotify does not take the code: it has expired, or was used before. Run again")
    if status >= 500:
        raise _unreachable(response.url, f"status {status}")
    if status in (403, 429):
        raise_for_status(response, quotes=False)
    if error:
        raise UnexpectedAnswer(f"Spotify refuses the code with the error {error[:60]!r}. Run again")
    raise UnexpectedAnswer(
        f"{urlsplit(response.url).hostname} answers the code with status {status} and no tokens. A proxy, or the login"
        " page of a network, may have answered in Spotify's place: make sure of the network, then run again"
    )


def fetch_user_ids(settings: config.spotify, tokens: dict[str, Any]) -> UserIds:
    """Whose tokens these are. Raises SpotifyError; Forbidden for whoever the application does not let in."""
    config.remember(tokens["access_token"], tokens["refresh_token"])
    headers = {"Authorization": f"Bearer {tokens['access_token']}", "User-Agent": USER_AGENT}
    url = f"{settings.api_url.rstrip('/')}/me"
    session = requests.Session()
    bound_session(session)
    try:
        response = send_patiently(
            lambda: session.get(url, headers=headers, timeout=settings.timeout, allow_redirects=False)
        )
    except requests.exceptions.RequestException as error:
        raise _unreachable(url, type(error).__name__) from None
    if response.status_code >= 500:
        raise _unreachable(url, f"status {response.status_code}")
    raise_for_status(response)
    return user_ids(read_object(response))


def _unreachable(url: str, what: str) -> SpotifyUnreachable:
    host = urlsplit(url).hostname
    return SpotifyUnreachable(f"{host} gives no usable answer ({what}). Check the network, then run again")
