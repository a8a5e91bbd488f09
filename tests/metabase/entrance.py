"""Calls of the sample Metabase that let somebody in: the first administrator, logins, keys."""

from __future__ import annotations

import re
import uuid

from tests.metabase.bodies import Json, Refusal, refused
from tests.metabase.server import MOST_WRONG_PASSWORDS, Request, SampleMetabase, route


@route("GET /api/health")
def health(request: Request) -> Json:
    return {"status": "ok"}


@route("GET /api/session/properties")
def properties(request: Request) -> Json:
    metabase = request.metabase
    return {
        "version": {"tag": metabase.version},
        "setup-token": metabase.setup_token,
        "has-user-setup": bool(metabase.users),
        "token-features": {},
    }


@route("POST /api/setup")
def set_up(request: Request) -> Json:
    metabase, body = request.metabase, request.body("POST /api/setup")
    if metabase.users:
        raise Refusal(
            403, "The /api/setup route can only be used to create the first user, however a user currently exists."
        )
    if body["token"] != metabase.setup_token:
        raise refused("token", "Token does not match the setup token.")
    email, password = body["user"]["email"], body["user"]["password"]
    if len(password) < 6 or not re.search(r"\d", password):
        raise refused("password", "password is too common.")
    metabase.add_administrator(email, password)
    return _session(metabase, email)


@route("POST /api/session")
def log_in(request: Request) -> Json:
    metabase, body = request.metabase, request.body("POST /api/session")
    if metabase.wrong_passwords >= MOST_WRONG_PASSWORDS:
        raise refused("username", "Too many attempts! You must wait 15 seconds before trying again.")
    user = metabase.users.get(body["username"])
    if user is None or user["password"] != body["password"]:
        metabase.wrong_passwords += 1
        raise Refusal(401, {"errors": {"password": "did not match stored password"}})
    return _session(metabase, body["username"])


def _session(metabase: SampleMetabase, email: str) -> Json:
    session = str(uuid.uuid4())
    metabase.sessions[session] = {**metabase.users[email], "password": None}
    metabase.secrets.add(session)
    return {"id": session}


@route("GET /api/user/current")
def current_user(request: Request) -> Json:
    return {"email": "key@api-key.invalid", **(request.user or {})}


@route("GET /api/user/:id")
def show_user(request: Request, number: str) -> Json:
    """The keys' own user is internal."""
    if number == "2":
        raise Refusal(400, "Not able to modify the internal user")
    found = next((user for user in request.metabase.users.values() if str(user["id"]) == number), None)
    if found is None:
        raise Refusal(404, "Not found.")
    return {"id": found["id"], "email": found["email"], "common_name": found["email"].partition("@")[0]}


@route("GET /api/api-key")
def list_keys(request: Request) -> list[Json]:
    return [_masked(each) for each in request.metabase.keys.values()]


@route("POST /api/api-key")
def add_key(request: Request) -> Json:
    body = request.body("POST /api/api-key")
    if body["name"] in {each["name"] for each in request.metabase.keys.values()}:
        raise refused("name", "An API key with this name already exists.")
    secret = request.metabase.add_key(body["group_id"], body["name"])
    made = next(each for each in request.metabase.keys.values() if each["unmasked_key"] == secret)
    return {**_masked(made), "unmasked_key": secret}


@route("PUT /api/api-key/:id/regenerate")
def regenerate_key(request: Request, number: str) -> Json:
    found = request.metabase.keys.pop(int(number))
    secret = request.metabase.add_key(found["group_id"], found["name"])
    return {"id": int(number), "unmasked_key": secret, "masked_key": "mb_****"}


def _masked(key: Json) -> Json:
    return {**{name: key[name] for name in ("id", "name")}, "masked_key": f"{key['unmasked_key'][:7]}****"}
