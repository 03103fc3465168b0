"""The sandbox as an ASGI application: authorization, routes, handlers, and errors.

A path with or without its last slash gets the same answer without a redirect, because clients lose
the bodies of redirected requests (API reference, section 10).
"""

from __future__ import annotations

import io
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from urllib.parse import unquote
from xml.etree.ElementTree import Element, SubElement, tostring

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.oneroster.profile import Collection, TargetProfile
from connectors.oneroster.sandbox.demands import check_write
from connectors.oneroster.sandbox.errors import ApiFailure, not_found
from connectors.oneroster.sandbox.query import answer_list, choose_fields
from connectors.oneroster.sandbox.read import ReadRequest
from connectors.oneroster.sandbox.records import (
    DEFAULTS,
    add_derived,
    merge_record,
    record_to_store,
)
from connectors.oneroster.sandbox.requests import Call, Tokens
from connectors.oneroster.sandbox.resources import (
    IN_SCHOOL,
    Nested,
    Resource,
    Served,
    derive_served,
)
from connectors.oneroster.sandbox.store import SandboxStore
from transforms.payload import Json
from transforms.schemas.vocabularies import TOBEDELETED

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
Handler = Callable[[Call], Response]
Pattern = tuple[str, ...]
ID = "{}"
# The collections whose records can be patched (API reference, section 2.5).
PATCHED = frozenset({"enrollments", "assessmentLineItems", "assessmentResults"})
CARTRIDGE = "http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1"
SCHOOL_CLASS = "/schools/{}/classes/{}/"
AGENT_OF = (
    "EXISTS (SELECT 1 FROM json_each(body, '$.agents') "
    "WHERE json_extract(value, '$.sourcedId') = ?)"
)


def application(
    store: SandboxStore, clients: Mapping[str, str], profile: TargetProfile
) -> Starlette:
    """Build the application that serves a store as the API of a profile.

    `clients` are the known clients, secrets by id. The issued tokens are in `state.tokens`.
    """
    tokens = Tokens(clients)
    served = derive_served(profile)
    routes = _Routes(served)

    async def answer(request: Request) -> Response:
        try:
            tokens.check(request.headers.get("authorization", ""))
            handler, ids = routes.find(request.method, _segments(request))
            return handler(
                Call(
                    ReadRequest(served, store, _base(request)),
                    ids,
                    request.query_params,
                    await request.body(),
                )
            )
        except ApiFailure as failure:
            return failure.response
        except UnicodeEncodeError:
            # Escapes in JSON can spell lone surrogates, which no database stores.
            return ApiFailure(400, "The request holds what is not text.").response

    app = Starlette(
        routes=[
            Route("/oauth2/token", tokens.give, methods=["POST"]),
            Route("/{path:path}", answer, methods=METHODS),
        ],
        exception_handlers={Exception: _server_error, 405: _not_allowed},
    )
    app.state.tokens = tokens
    return app


async def _server_error(_: Request, error: Exception) -> Response:
    return ApiFailure(500, f"The sandbox failed: {type(error).__name__}").response


async def _not_allowed(request: Request, _: Exception) -> Response:
    return ApiFailure(405, f"{request.method} is not allowed here.").response


def _base(request: Request) -> str:
    """Return the address under which the client sees this server, for references."""
    return f"{request.scope['scheme']}://{request.headers.get('host', '')}"


def _segments(request: Request) -> list[str]:
    """Split the path. Each part is decoded by itself, so an id may contain an escaped slash."""
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    path = raw.decode("latin-1").partition("?")[0]
    return [unquote(part) for part in path.removesuffix("/").split("/")]


class _Routes:
    """Patterns of paths, and their handlers by method."""

    def __init__(self, served: Served) -> None:
        # By the number of parts of a path.
        self._routes: dict[int, list[tuple[Pattern, dict[str, Handler]]]] = {}
        # `courses/components` comes before `courses/{}`.
        for path, methods in sorted(_list_routes(served), key=lambda route: route[0].count(ID)):
            pattern = tuple(path.split("/"))
            self._routes.setdefault(len(pattern), []).append((pattern, methods))

    def find(self, method: str, segments: list[str]) -> tuple[Handler, tuple[str, ...]]:
        """Return the handler of a request, and the ids in its path.

        Raises `ApiFailure`: 404 for an unknown path, 405 for a method that the path does not have.
        """
        for pattern, methods in self._routes.get(len(segments), ()):
            pairs = list(zip(pattern, segments, strict=True))
            if all(part in (ID, segment) for part, segment in pairs):
                if method not in methods:
                    raise ApiFailure(405, f"{method} is not allowed here.")
                return methods[method], tuple(segment for part, segment in pairs if part == ID)
        raise ApiFailure(404, "There is nothing at this path.")


def _list_routes(served: Served) -> Iterator[tuple[str, dict[str, Handler]]]:
    """Yield every path with its handlers by method."""
    if users := served.by_name.get("users"):
        yield f"{users.path}/{ID}/agents", {"GET": list_agents, "POST": add_agent}
        yield f"{users.path}/{ID}/agents/{ID}", {"DELETE": remove_agent}
        yield f"{users.path}/{ID}/agentFor", {"GET": list_principals}
        if "demographics" in served.by_name:
            yield f"{users.path}/{ID}/demographics", {"GET": read_with_demographics}
    if courses := served.by_name.get("courses"):
        yield f"{courses.path}/structure", {"POST": create_with_structure}
    if materials := served.by_name.get("resources"):
        yield f"{materials.path}/export/{ID}", {"POST": export_material}
    posts: dict[tuple[str, str], Handler] = {
        ("classes", "students"): partial(enroll, "student"),
        ("classes", "teachers"): partial(enroll, "teacher"),
        ("terms", "gradingPeriods"): add_grading_period,
    }
    by_path = {
        f"{served.by_name[name].path}/{ID}/{of}": post
        for (name, of), post in posts.items()
        if name in served.by_name
    }
    by_path |= {
        array.path: partial(create_each, array, implied) for array, implied in served.arrays
    }
    for nested in served.nested:
        methods: dict[str, Handler] = {"GET": partial(list_nested, nested)}
        if nested.path in by_path:
            methods["POST"] = by_path[nested.path]
        yield nested.path, methods
    nested_paths = {nested.path for nested in served.nested}
    for array, _ in served.arrays:
        if array.path not in nested_paths:
            yield array.path, {"POST": by_path[array.path]}
    for resource in served.resources:
        yield resource.path, _collection_methods(resource)
        yield f"{resource.path}/{ID}", _record_methods(resource)


def _collection_methods(resource: Resource) -> dict[str, Handler]:
    methods: dict[str, Handler] = {"GET": partial(list_all, resource)}
    if "POST" in resource.methods:
        methods["POST"] = partial(create, resource)
    return methods


def _record_methods(resource: Resource) -> dict[str, Handler]:
    methods: dict[str, Handler] = {"GET": partial(read, resource)}
    if "PUT" in resource.methods:
        methods |= {"PUT": partial(replace, resource), "DELETE": partial(remove, resource)}
    if resource.collection.name in PATCHED:
        methods["PATCH"] = partial(amend, resource)
    return methods


def list_all(resource: Resource, call: Call) -> Response:
    """GET a collection or a view of it."""
    return answer_list(
        resource.collection, resource.list_key, call.query, call.reading, resource.where
    )


def list_nested(nested: Nested, call: Call) -> Response:
    """GET a list below a record."""
    find_record(nested.parent, call)
    if SCHOOL_CLASS in nested.path and not call.store.total("classes", IN_SCHOOL, call.ids):
        raise not_found("School or class")
    return answer_list(
        nested.collection, nested.list_key, call.query, call.reading, nested.where, call.ids
    )


def read(resource: Resource, call: Call) -> Response:
    """GET one record. A deleted record is returned too, with its status."""
    record = call.reading.shown(resource.collection, find_record(resource, call))
    return JSONResponse({resource.wrapper: choose_fields(record, call.query)})


def create(resource: Resource, call: Call) -> Response:
    """POST a record."""
    written = call.wrapped(resource.collection.wrapper)
    refuse_other_kind(resource, written)
    return created_response(insert_record(resource.collection, written, call))


def insert_record(collection: Collection, written: Json, call: Call) -> Json:
    """Store a new record. Its id is free text; without one, it gets a UUID (section 2.6)."""
    check_write(collection, written, collection.required, call.reading)
    sourced_id = written.get("sourcedId") or str(uuid.uuid4())
    if call.store.has(collection.name, sourced_id):
        raise ApiFailure(
            collection.duplicate_status, f"{collection.wrapper} {sourced_id} already exists."
        )
    record = {"sourcedId": sourced_id, "status": "active", **DEFAULTS.get(collection.name, {})}
    return _saved(collection, record | record_to_store(collection, written, call.vocabulary), call)


def create_each(nested: Nested, implied: tuple[str, ...], call: Call) -> Response:
    """POST several records at once. The path contains their references (section 3).

    `implied` names the reference for each id of the path, or is blank. The answer for one record is
    an object, not a list.
    """
    written = call.body().get(nested.list_key)
    if (
        not isinstance(written, list)
        or not written
        or not all(isinstance(record, dict) for record in written)
    ):
        raise ApiFailure(
            422, "The request body is not valid.", **{nested.list_key: "must be a list of objects"}
        )
    references = {
        name: {"sourcedId": sourced_id}
        for name, sourced_id in zip(implied, call.ids, strict=True)
        if name
    }
    pairs = [
        _pair(insert_record(nested.collection, record | references, call)) for record in written
    ]
    return JSONResponse({"sourcedIdPairs": pairs if len(pairs) > 1 else pairs[0]}, 201)


def _pair(record: Json) -> Json:
    return {"suppliedSourcedId": record["sourcedId"], "allocatedSourcedId": record["sourcedId"]}


def created_response(record: Json) -> Response:
    """Answer a POST."""
    return JSONResponse({"sourcedIdPairs": _pair(record)}, 201)


def replace(resource: Resource, call: Call) -> Response:
    """PUT a record: the body's properties replace the old ones, `metadata` is merged (section 2.4).

    The gradebook creates a record that does not exist (section 2.1).
    """
    collection = resource.collection
    if collection.put_creates and not call.store.has(collection.name, call.ids[0]):
        written = call.wrapped(collection.wrapper) | {"sourcedId": call.ids[0]}
        record = insert_record(collection, written, call)
    else:
        before = find_record(resource, call)
        written = _without_fixed(collection, call.wrapped(collection.wrapper))
        refuse_other_kind(resource, written)
        check_write(collection, written, collection.required_on_put, call.reading)
        changes = record_to_store(collection, written, call.vocabulary)
        record = _saved(collection, merge_record(before, changes), call)
    body = call.reading.shown(resource.collection, record)
    return JSONResponse(
        {resource.wrapper: body} if resource.put_body == "wrapped" else body, resource.put_status
    )


def amend(resource: Resource, call: Call) -> Response:
    """PATCH a record: like PUT, without required properties (section 2.5)."""
    collection, before = resource.collection, find_record(resource, call)
    written = call.wrapped(collection.wrapper)
    check_write(collection, written, (), call.reading)
    record = _saved(
        collection,
        merge_record(before, record_to_store(collection, written, call.vocabulary)),
        call,
    )
    return JSONResponse(call.reading.shown(collection, record))


def remove(resource: Resource, call: Call) -> Response:
    """DELETE a record: only its status changes. A second DELETE is no error (section 2.3)."""
    call.store.put(resource.collection.name, {**find_record(resource, call), "status": TOBEDELETED})
    return Response(status_code=204)


def find_record(resource: Resource, call: Call) -> Json:
    """Return the record that a path names, deleted or not; 404 if it is not in this view."""
    rows = call.store.find(resource.collection.name, f"id = ? AND ({resource.where})", call.ids[:1])
    if not rows:
        raise not_found(resource.kind)
    return rows[0]


def refuse_other_kind(resource: Resource, written: Json) -> None:
    """Raise `ApiFailure` for a record that is not of this view, such as a district in schools."""
    faults = {
        name: f"must be {value}"
        for name, value in resource.fixed.items()
        if written.get(name) != value
    }
    if faults:
        raise ApiFailure(422, "The request body is not valid.", **faults)


def _without_fixed(collection: Collection, written: Json) -> Json:
    """Remove the properties that a PUT does not change (section 2.4). They are not checked."""
    renamed = dict(collection.written_as)
    ignored = {renamed.get(name, name) for name in collection.fixed}
    return {name: value for name, value in written.items() if name not in ignored}


def _saved(collection: Collection, record: Json, call: Call) -> Json:
    return call.store.put(collection.name, add_derived(collection, record, call.store))


def list_agents(call: Call) -> Response:
    """GET the agents of a user."""
    users = call.collections["users"]
    records = (
        call.store.get("users", agent["sourcedId"]) for agent in _user(call).get("agents") or ()
    )
    return JSONResponse(
        {"agents": [call.reading.shown(users, record) for record in records if record]}
    )


def list_principals(call: Call) -> Response:
    """GET the users for whom a user is an agent."""
    _user(call)
    users = call.collections["users"]
    records = call.store.find("users", AGENT_OF, call.ids)
    return JSONResponse({"users": [call.reading.shown(users, record) for record in records]})


def add_agent(call: Call) -> Response:
    """POST an agent of a user."""
    user, agent = _user(call), call.body().get("agentSourcedId")
    if not isinstance(agent, str) or not agent:
        raise ApiFailure(422, "The request body is not valid.", agentSourcedId="is required")
    if not call.store.has("users", agent):
        raise not_found("user", agent)
    call.store.put("users", {**user, "agents": [*_others(user, agent), {"sourcedId": agent}]})
    return JSONResponse({})


def remove_agent(call: Call) -> Response:
    """DELETE an agent of a user."""
    user = _user(call)
    call.store.put("users", {**user, "agents": _others(user, call.ids[1])})
    return JSONResponse({})


def read_with_demographics(call: Call) -> Response:
    """GET a user with the demographics."""
    body = call.reading.shown(call.collections["users"], _user(call))
    record = call.store.get("demographics", call.ids[0])
    body["demographics"] = (
        call.reading.shown(call.collections["demographics"], record) if record else None
    )
    return JSONResponse({"user": body})


def create_with_structure(call: Call) -> Response:
    """POST a course with the structure of its tests. Nobody knows what that makes of the tests.

    The sandbox creates the course, and nothing below it.
    """
    body = call.body()
    if not isinstance(body.get("courseStructure"), dict):
        raise ApiFailure(422, "The request body is not valid.", courseStructure="is required")
    return created_response(
        insert_record(call.collections["courses"], call.wrapped("course"), call)
    )


def export_material(call: Call) -> Response:
    """POST the export of a resource: a Common Cartridge with nothing but its manifest."""
    record = find_record(call.by_name["resources"], call)
    manifest = Element("manifest", identifier=str(record["sourcedId"]), xmlns=CARTRIDGE)
    metadata = SubElement(manifest, "metadata")
    SubElement(metadata, "schema").text = "IMS Common Cartridge"
    SubElement(metadata, "schemaversion").text = "1.1.0"
    SubElement(manifest, "organizations")
    resources = SubElement(manifest, "resources")
    SubElement(resources, "resource", identifier=f"{record['sourcedId']}-1", type="webcontent")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("imsmanifest.xml", tostring(manifest, "utf-8", xml_declaration=True))
    return Response(content.getvalue(), media_type="application/zip")


def enroll(role: str, call: Call) -> Response:
    """POST a student or a teacher of a class: an enrollment with class and role from the path."""
    find_record(call.by_name["classes"], call)
    written = {**call.wrapped("enrollment"), "role": role, "class": {"sourcedId": call.ids[0]}}
    return created_response(insert_record(call.collections["enrollments"], written, call))


def add_grading_period(call: Call) -> Response:
    """POST a grading period of a term; the answer is the complete record (section 2.6)."""
    find_record(call.by_name["terms"], call)
    periods = call.by_name["gradingPeriods"]
    written = {"parent": {"sourcedId": call.ids[0]}, **call.wrapped(periods.collection.wrapper)}
    refuse_other_kind(periods, written)
    record = insert_record(periods.collection, written, call)
    return JSONResponse(
        {periods.collection.wrapper: call.reading.shown(periods.collection, record)}, 201
    )


def _user(call: Call) -> Json:
    return find_record(call.by_name["users"], call)


def _others(user: Json, agent: str) -> list[Json]:
    return [other for other in user.get("agents") or () if other["sourcedId"] != agent]
