"""Requests below a user, a class or a term that are not plain lists.

Source: API reference, sections 4 and 8.
"""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from connectors.oneroster.sandbox.calls import Call
from connectors.oneroster.sandbox.failures import Failure, not_found
from connectors.oneroster.sandbox.handlers import created, fixed, found, inserted
from transforms.payload import Json

AGENT_OF = "EXISTS (SELECT 1 FROM json_each(body, '$.agents') WHERE json_extract(value, '$.sourcedId') = ?)"


def agents(call: Call) -> Response:
    """GET the agents of a user."""
    found_agents = (call.store.get("users", agent["sourcedId"]) for agent in _user(call).get("agents") or ())
    return JSONResponse(
        {"agents": [call.reading.shown(call.collections["users"], agent) for agent in found_agents if agent]}
    )


def agent_for(call: Call) -> Response:
    """GET the users for whom a user is an agent."""
    _user(call)
    return JSONResponse(
        {
            "users": [
                call.reading.shown(call.collections["users"], one)
                for one in call.store.find("users", AGENT_OF, call.ids)
            ]
        }
    )


def add_agent(call: Call) -> Response:
    """POST an agent of a user."""
    user, agent = _user(call), call.body().get("agentSourcedId")
    if not isinstance(agent, str) or not agent:
        raise Failure(422, "The request body is not valid.", agentSourcedId="is required")
    if not call.store.has("users", agent):
        raise not_found("user", agent)
    call.store.put("users", {**user, "agents": [*_others(user, agent), {"sourcedId": agent}]})
    return JSONResponse({})


def remove_agent(call: Call) -> Response:
    """DELETE an agent of a user."""
    user = _user(call)
    call.store.put("users", {**user, "agents": _others(user, call.ids[1])})
    return JSONResponse({})


def with_demographics(call: Call) -> Response:
    """GET a user with the demographics."""
    body = call.reading.shown(call.collections["users"], _user(call))
    record = call.store.get("demographics", call.ids[0])
    body["demographics"] = call.reading.shown(call.collections["demographics"], record) if record else None
    return JSONResponse({"user": body})


def enroll(role: str, call: Call) -> Response:
    """POST a student or a teacher into a class: an enrollment whose class and role the path says."""
    found(call.by_name["classes"], call)
    written = {**call.wrapped("enrollment"), "role": role, "class": {"sourcedId": call.ids[0]}}
    return created(inserted(call.collections["enrollments"], written, call))


def add_grading_period(call: Call) -> Response:
    """POST a grading period of a term; the answer is the whole record (section 2.6)."""
    found(call.by_name["terms"], call)
    periods = call.by_name["gradingPeriods"]
    written = {"parent": {"sourcedId": call.ids[0]}, **call.wrapped(periods.collection.wrapper)}
    fixed(periods, written)
    record = inserted(periods.collection, written, call)
    return JSONResponse({periods.collection.wrapper: call.reading.shown(periods.collection, record)}, 201)


def _user(call: Call) -> Json:
    return found(call.by_name["users"], call)


def _others(user: Json, agent: str) -> list[Json]:
    return [one for one in user.get("agents") or () if one["sourcedId"] != agent]
