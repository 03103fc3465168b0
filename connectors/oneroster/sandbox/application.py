"""The sandbox as an ASGI application: who may ask, which handler answers, and errors in the API's own shape.

Both spellings of a path, with its last slash and without, lead to the same answer without a
redirect, since clients lose the bodies of redirected requests (API reference, section 10).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.oneroster.profile import TargetProfile
from connectors.oneroster.sandbox import handlers, people
from connectors.oneroster.sandbox.calls import Call
from connectors.oneroster.sandbox.failures import Failure
from connectors.oneroster.sandbox.resources import Resource, Served, served_of
from connectors.oneroster.sandbox.showing import Reading
from connectors.oneroster.sandbox.store import Store
from connectors.oneroster.sandbox.tokens import Tokens

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
Handler = Callable[[Call], Response]
Pattern = tuple[str, ...]
ID = "{}"
# The collections whose records can be patched (API reference, section 2.5).
PATCHED = frozenset({"enrollments", "assessmentLineItems", "assessmentResults"})


def application(store: Store, clients: Mapping[str, str], profile: TargetProfile) -> Starlette:
    """Serve a store as an API of a profile to the clients that are known, by id and secret; `state.tokens` are those given out."""
    tokens = Tokens(clients)
    served = served_of(profile)
    routes = _Routes(served)

    async def answer(request: Request) -> Response:
        try:
            tokens.check(request.headers.get("authorization", ""))
            handler, ids = routes.find(request.method, _segments(request))
            return handler(
                Call(Reading(served, store, _base(request)), ids, request.query_params, await request.body())
            )
        except Failure as failure:
            return failure.response
        except UnicodeEncodeError:
            # Escapes in JSON can spell halves of characters, which no database holds.
            return Failure(400, "The request holds what is not text.").response

    routed = [Route("/oauth2/token", tokens.give, methods=["POST"]), Route("/{path:path}", answer, methods=METHODS)]
    app = Starlette(routes=routed, exception_handlers={Exception: _broken, 405: _not_allowed})
    app.state.tokens = tokens
    return app


async def _broken(_: Request, error: Exception) -> Response:
    return Failure(500, f"The sandbox failed: {type(error).__name__}").response


async def _not_allowed(request: Request, _: Exception) -> Response:
    return Failure(405, f"{request.method} is not allowed here.").response


def _base(request: Request) -> str:
    """The address under which the client sees this server, for references."""
    return f"{request.scope['scheme']}://{request.headers.get('host', '')}"


def _segments(request: Request) -> list[str]:
    """The parts of a path, each decoded by itself, so that an id may hold an escaped slash."""
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    path = raw.decode("latin-1").partition("?")[0]
    return [unquote(part) for part in path.removesuffix("/").split("/")]


class _Routes:
    """Patterns of paths, and who answers them, by method."""

    def __init__(self, served: Served) -> None:
        self._known: dict[int, list[tuple[Pattern, dict[str, Handler]]]] = {}
        # `courses/components` comes before `courses/{}`.
        for path, methods in sorted(_table(served), key=lambda one: one[0].count(ID)):
            pattern = tuple(path.split("/"))
            self._known.setdefault(len(pattern), []).append((pattern, methods))

    def find(self, method: str, segments: list[str]) -> tuple[Handler, tuple[str, ...]]:
        """Give the handler of a request, and the ids in its path; 404 or 405 if there is none."""
        for pattern, methods in self._known.get(len(segments), ()):
            pairs = list(zip(pattern, segments, strict=True))
            if all(part in (ID, segment) for part, segment in pairs):
                if method not in methods:
                    raise Failure(405, f"{method} is not allowed here.")
                return methods[method], tuple(segment for part, segment in pairs if part == ID)
        raise Failure(404, "There is nothing at this path.")


def _table(served: Served) -> Iterator[tuple[str, dict[str, Handler]]]:
    """Every path with its methods."""
    if users := served.by_name.get("users"):
        yield f"{users.path}/{ID}/agents", {"GET": people.agents, "POST": people.add_agent}
        yield f"{users.path}/{ID}/agents/{ID}", {"DELETE": people.remove_agent}
        yield f"{users.path}/{ID}/agentFor", {"GET": people.agent_for}
        if "demographics" in served.by_name:
            yield f"{users.path}/{ID}/demographics", {"GET": people.with_demographics}
    posts: dict[tuple[str, str], Handler] = {
        ("classes", "students"): partial(people.enroll, "student"),
        ("classes", "teachers"): partial(people.enroll, "teacher"),
        ("terms", "gradingPeriods"): people.add_grading_period,
    }
    by_path = {
        f"{served.by_name[name].path}/{ID}/{of}": post for (name, of), post in posts.items() if name in served.by_name
    }
    by_path |= {one.path: partial(handlers.create_each, one, implied) for one, implied in served.arrays}
    for nested in served.nested:
        methods: dict[str, Handler] = {"GET": partial(handlers.list_nested, nested)}
        yield nested.path, methods | ({"POST": by_path[nested.path]} if nested.path in by_path else {})
    listed = {nested.path for nested in served.nested}
    for array, _ in served.arrays:
        if array.path not in listed:
            yield array.path, {"POST": by_path[array.path]}
    for resource in served.resources:
        yield resource.path, _of_collection(resource)
        yield f"{resource.path}/{ID}", _of_record(resource)


def _of_collection(resource: Resource) -> dict[str, Handler]:
    methods: dict[str, Handler] = {"GET": partial(handlers.list_all, resource)}
    return methods | ({"POST": partial(handlers.create, resource)} if "POST" in resource.methods else {})


def _of_record(resource: Resource) -> dict[str, Handler]:
    methods: dict[str, Handler] = {"GET": partial(handlers.read, resource)}
    if "PUT" in resource.methods:
        methods |= {"PUT": partial(handlers.replace, resource), "DELETE": partial(handlers.remove, resource)}
    return methods | ({"PATCH": partial(handlers.amend, resource)} if resource.collection.name in PATCHED else {})
