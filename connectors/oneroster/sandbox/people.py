"""Requests about users and classes that are neither a collection nor a plain list below a record.

Source: API reference, sections 4 and 8.
"""

from __future__ import annotations

import uuid

from starlette.responses import JSONResponse, Response

from connectors.oneroster.collections import COLLECTIONS
from connectors.oneroster.sandbox.demands import demand
from connectors.oneroster.sandbox.failures import Failure, not_found
from connectors.oneroster.sandbox.handlers import Call, created
from connectors.oneroster.sandbox.shapes import kept, shown
from transforms.payload import Json

USERS, ENROLLMENTS, DEMOGRAPHICS = COLLECTIONS["users"], COLLECTIONS["enrollments"], COLLECTIONS["demographics"]


def agents(call: Call) -> Response:
    """GET the agents of a user."""
    ids = [agent["sourcedId"] for agent in _user(call).get("agents") or []]
    found = (call.store.get("users", one) for one in ids)
    return JSONResponse({"agents": [shown(USERS, user, call.store, call.base) for user in found if user]})


def agent_for(call: Call) -> Response:
    """GET the users for whom a user is an agent."""
    _user(call)
    where = "EXISTS (SELECT 1 FROM json_each(body, '$.agents') WHERE json_extract(value, '$.sourcedId') = ?)"
    users = call.store.find("users", where, call.ids)
    return JSONResponse({"users": [shown(USERS, user, call.store, call.base) for user in users]})


def add_agent(call: Call) -> Response:
    """POST an agent of a user."""
    user, agent = _user(call), call.wrapped_id("agentSourcedId")
    if not call.store.has("users", agent):
        raise not_found("User")
    held = [one for one in user.get("agents") or [] if one["sourcedId"] != agent]
    call.store.put("users", {**user, "agents": [*held, {"sourcedId": agent}]})
    return JSONResponse({})


def remove_agent(call: Call) -> Response:
    """DELETE an agent of a user."""
    user = _user(call)
    held = [one for one in user.get("agents") or [] if one["sourcedId"] != call.ids[1]]
    call.store.put("users", {**user, "agents": held})
    return JSONResponse({})


def with_demographics(call: Call) -> Response:
    """GET a user with the demographics."""
    body = shown(USERS, _user(call), call.store, call.base)
    record = call.store.get("demographics", call.ids[0])
    body["demographics"] = shown(DEMOGRAPHICS, record, call.store, call.base) if record else None
    return JSONResponse({"user": body})


def enroll(role: str, call: Call) -> Response:
    """POST a student or a teacher into a class."""
    if not call.store.has("classes", call.ids[0]):
        raise not_found("Class")
    written = {**call.wrapped("enrollment"), "role": role, "class": {"sourcedId": call.ids[0]}}
    written["sourcedId"] = written.get("sourcedId") or str(uuid.uuid4())
    demand(ENROLLMENTS, written, ENROLLMENTS.required, call.store)
    if call.store.has("enrollments", written["sourcedId"]):
        raise Failure(ENROLLMENTS.duplicate_status, f"enrollment {written['sourcedId']} already exists.")
    call.store.put("enrollments", {"status": "active", **kept(ENROLLMENTS, written)})
    return created(written["sourcedId"])


def _user(call: Call) -> Json:
    user = call.store.get("users", call.ids[0])
    if user is None:
        raise not_found("User")
    return user
