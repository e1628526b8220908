"""The HTTP API: `/api/v1`, JSON in and out, every refusal an RFC 9457 problem document."""

from __future__ import annotations

from typing import Any

from ninja import NinjaAPI
from ninja.openapi.docs import Swagger
from ninja.openapi.schema import OpenAPISchema

from support_agent.chat.api import actions, attachments, conversations, identity, problems, tasks, turns, verification
from support_agent.chat.api.parsing import StrictParser
from support_agent.chat.api.schemas import Problem

__all__ = ["api"]

DESCRIPTION = """\
Everything the chat page can do, for programs. Begin with `POST /conversations`, keep the `token` it returns, and send
it as `Authorization: Bearer <token>` from then on. Post messages with an id of your own choosing, so that a repeated
request changes nothing, and follow the answer by the socket at `ws_url`, by `GET …/events?after=`, or by
`GET /turns/{id}`.

A conversation that is somebody else's and one that does not exist get the same 404. A refusal is a problem document
(RFC 9457) whose `code` is stable; `429` comes with `Retry-After`.
"""


class Api(NinjaAPI):
    """NinjaAPI whose document also has the schema that every problem answer refers to."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**options)
        schema["components"]["schemas"]["Problem"] = Problem.model_json_schema()
        return schema


api = Api(
    title="Support API",
    version="1",
    description=DESCRIPTION,
    urls_namespace="api",
    parser=StrictParser(),
    docs=Swagger(settings={"validatorUrl": None, "persistAuthorization": False, "defaultModelsExpandDepth": 0}),
    openapi_url="/openapi.json",
    docs_url="/docs",
)
problems.handle_problems(api)
for part in (conversations, identity, actions, verification, attachments):
    api.add_router("/conversations", part.router)
api.add_router("/turns", turns.router)
api.add_router("/tasks", tasks.router)
