"""`python -m pipeline authorize`: a person's consent, in one command.

Spotify shows the person a page; their yes comes back to this machine as a code; the code is exchanged for tokens.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import textwrap
import threading
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline import config
from pipeline.extract.answers import utc_now
from pipeline.extract.callback import Inbox, Verdict, listening, redirect_uri, wait_for_address
from pipeline.extract.consent import DASHBOARD, fetch_tokens, fetch_user_ids, make_link, open_session
from pipeline.extract.errors import ConsentRefused, SpotifyError
from pipeline.extract.files import reserved
from pipeline.extract.identity import confirm_identity
from pipeline.extract.token_response import lifetime
from pipeline.extract.tokens import CONSENT_LASTS, LARGEST_STORE, Tokens, digest, token_lock, write_tokens


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "authorize",
        help="ask a person for their consent: once, and again before six months are over",
        description="Opens Spotify's page of consent in the browser, and keeps the tokens that a consent brings.",
    )
    parser.add_argument("--account", default="me", help="short name of the listener (me)")
    parser.add_argument(
        "--port",
        type=_port,
        default=8888,
        help=f"where to listen (8888); http://127.0.0.1:PORT/callback has to be registered in {DASHBOARD}",
    )
    parser.add_argument("--no-browser", action="store_true", help="only print the link")
    parser.add_argument(
        "--paste", action="store_true", help="do not listen: the address that the browser ends at is pasted here"
    )
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds to wait for the consent (300)")


def _port(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: write 1 to 65535")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """The exit code; what went wrong is said on stderr."""
    try:
        account, settings = config.AccountParameter().normalize(options.account), config.spotify()
        tokens = authorize(
            config.storage().root,
            account,
            settings,
            port=options.port,
            browser=not options.no_browser,
            paste=options.paste,
            timeout=options.timeout,
        )
        polled = account in settings.account_names
    except KeyboardInterrupt:
        _say("\nInterrupted. The same command starts again.", file=sys.stderr)
        return 130
    except SpotifyError as error:
        _say(str(error), f"Nothing was stored: account {account!r} is as it was.", file=sys.stderr)
        return 1
    except (config.SettingError, OSError) as error:
        _say(str(error), file=sys.stderr)
        return 1
    _say(
        f"Account {account!r} is authorized until {tokens.consent_ends_at:%Y-%m-%d} ({CONSENT_LASTS.days} days). "
        + ("The next slot polls." if polled else f"Add {account} to SPOTIFY_ACCOUNTS, and the next slot polls.")
    )
    return 0


def authorize(
    data: Path, account: str, settings: config.spotify, *, port: int, browser: bool, paste: bool, timeout: float
) -> Tokens:
    """Ask for a consent and keep what it brings. Raises SpotifyError, SettingError or OSError.

    Whose consent it is is made sure of first. The tokens stored before are then replaced, in whatever state they were.
    """
    back = redirect_uri(port)
    session = open_session(settings, back, account)
    link, state = make_link(session, settings)
    inbox = Inbox(state)
    # A pipe too: `docker compose exec -T` and some editors' terminals have no terminal device.
    typed = sys.stdin.fileno() if sys.stdin else None
    with contextlib.nullcontext() if paste else _listening(port, inbox):
        _invite(account, link, back, paste, timeout)
        if browser and _has_screen():
            # Some browsers return only when they are closed.
            threading.Thread(target=webbrowser.open, args=(link,), daemon=True).start()
        address = _await(inbox, back, paste, typed, timeout)
        now = utc_now()
        # Before the code is used: without space for its tokens, the person would have to agree again.
        with reserved(data / f"authorize-{account}", LARGEST_STORE, mode=0o600):
            granted = fetch_tokens(session, settings, address)
            person = fetch_user_ids(settings, granted)
    confirm_identity(data, account, *person)
    tokens = Tokens(
        account,
        granted["refresh_token"],
        authorized_at=now.isoformat(),
        access_token=granted["access_token"],
        expires_at=(now + lifetime(granted.get("expires_in"))).isoformat(),
        pkce=True,
        account_id=person.best,
        bootstrap=digest(settings.refresh_token(account)),
        client_id=settings.application(account).client_id,
    )
    with token_lock(data, account):
        write_tokens(data, tokens)
    return tokens


@contextlib.contextmanager
def _listening(port: int, inbox: Inbox) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(listening(port, inbox))
        except OSError as error:
            raise config.SettingError(
                f"port {port} of 127.0.0.1 cannot be used ({error.strerror}). Take another one with --port, whose"
                f" http://127.0.0.1:PORT/callback has to be registered in {DASHBOARD} too; or run again with --paste,"
                " which needs none"
            ) from None
        yield


def _invite(account: str, link: str, back: str, paste: bool, timeout: float) -> None:
    _say(f"Open this link, log in to Spotify as the listener of account {account!r}, and agree:")
    print(f"\n{link}\n")
    if paste:
        wait = f"That page does not open: copy its address and paste it here, within {timeout:g} seconds."
    else:
        wait = (
            f"Waiting for that, {timeout:g} seconds at most. If the browser runs on another machine, the page does not"
            " open there: copy its address and paste it here."
        )
    _say(f"The browser then goes to {back}, an address that has to be registered in {DASHBOARD}.", wait, "")


def _has_screen() -> bool:
    """Without one, webbrowser would start lynx or w3m in this terminal, which are no use for Spotify's page."""
    named = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
    return named or sys.platform == "darwin"


def _await(inbox: Inbox, back: str, paste: bool, typed: int | None, timeout: float) -> str:
    def refuse(verdict: Verdict) -> None:
        if verdict is Verdict.FOREIGN:
            _say("That belongs to another attempt. Open the link above, and paste the address it leads to.")
        else:
            _say(f"That is not the address: it begins with {back}? and goes on for some hundred letters.")

    try:
        return wait_for_address(inbox, timeout, typed, not paste, refuse)
    except EOFError:
        raise ConsentRefused(f"the input has ended without an address that begins with {back}. Run again") from None
    except TimeoutError:
        elsewhere = "" if paste else "\n- a page that cannot be opened: run again with --paste"
        raise ConsentRefused(
            f"No answer came within {timeout:g} seconds. What does the browser show?"
            f'\n- "INVALID_CLIENT: Invalid redirect URI": register exactly {back} in {DASHBOARD} (`localhost` is'
            " refused), then run again"
            '\n- "INVALID_CLIENT: Invalid client": SPOTIFY_CLIENT_ID is not that of your application'
            f"{elsewhere}"
            "\n- Spotify's question, still: run again, with a longer --timeout"
        ) from None


def _say(*paragraphs: str, file: Any = None) -> None:
    """Lines of 80 columns at most, at once, also into a pipe; an address stays in one piece."""
    for line in "\n".join(paragraphs).split("\n"):
        indent = "  " if line.startswith("- ") else ""
        print(
            textwrap.fill(line, 80, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False),
            file=file,
            flush=True,
        )
