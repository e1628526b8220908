"""The shop's own system: an HTTP JSON API over its books, as the product's HttpBackend speaks it (docs/backends.md).

    python -m examples.bikeshop.server --port 8900 --data /tmp/bikeshop.sqlite3 [--token T]

Every call but /healthz wants `Authorization: Bearer T`. A change wants an `Idempotency-Key`: what a key was answered is
written in the transaction of the change itself, so that the two are never apart, whenever the server is killed.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import re
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import ValidationError

from examples.bikeshop import fittings, reading, seed, writing
from examples.bikeshop.database import Books, attempt
from examples.bikeshop.reading import Json, Problem

HOST, TOKEN = "127.0.0.1", "fjell-demo-token"  # what the README says too
LARGEST, KEY = 64 * 1024, re.compile(r"[\x21-\x7e]{1,120}")
ORDER = r"/customers/([^/]+)/orders/([^/]+)"
RETURN = r"/customers/([^/]+)/returns/([^/]+)"
WRITES = (  # method, path, name of the call
    ("POST", rf"{ORDER}/cancellation", "cancel_order"),
    ("POST", rf"{ORDER}/restoration", "restore_order"),
    ("POST", rf"{ORDER}/returns", "create_return"),
    ("POST", rf"{ORDER}/refunds", "create_refund"),
    ("POST", rf"{ORDER}/problems", "report_problem"),
    ("POST", rf"{RETURN}/cancellation", "cancel_return"),
    ("PATCH", r"/customers/([^/]+)()", "update_customer"),
    ("POST", r"/customers/([^/]+)/fittings()", "book_fitting"),
    ("POST", r"/customers/([^/]+)/fittings/([^/]+)/cancellation", "cancel_fitting"),
)


class Api:
    """The calls, without HTTP: a request in, (status, JSON) out."""

    def __init__(self, books: Books, token: str) -> None:
        self.books, self.token = books, token

    def allows(self, authorization: str) -> bool:
        return hmac.compare_digest(authorization.encode(), f"Bearer {self.token}".encode())

    def read(self, path: str, query: dict[str, str]) -> Json:
        """Raises Problem."""
        with self.books.transaction() as db:
            if path == "/fittings":
                return fittings.free(db, query.get("store", ""))
            if path == "/customers":
                return reading.customer_by_email(db, query.get("email", ""))
            if found := re.fullmatch(r"/idempotency/(.+)", path):
                return outcome(db, unquote(found[1]))
            if found := re.fullmatch(ORDER, path):
                return reading.order(db, *map(unquote, found.groups()))
            if found := re.fullmatch(RETURN, path):
                return reading.return_(db, *map(unquote, found.groups()))
            if found := re.fullmatch(r"/customers/([^/]+)(?:/(orders|invoices|refunds))?", path):
                return self._of_customer(db, unquote(found[1]), found[2], query)
        raise Problem(404, "no_such_call", "There is no such call.")

    def _of_customer(self, db: reading.Db, ref: str, what: str | None, query: dict[str, str]) -> Json:
        if what == "orders":
            return reading.orders(db, ref, _limit(query))
        if what == "invoices":
            return reading.invoices(db, ref, _limit(query))
        if what == "refunds":
            return reading.refunds_since(db, ref, _since(query))
        return reading.customer(db, ref)

    def write(self, method: str, path: str, body: bytes, key: str) -> tuple[int, Json]:
        """What was done, or what the same key was answered before. Raises Problem for what never became a request."""
        call, ref, number = _call(method, path)
        if not KEY.fullmatch(key):
            raise Problem(400, "no_key", "A change needs an Idempotency-Key of 1 to 120 visible characters.")
        fingerprint = hashlib.sha256(f"{method} {path}\n".encode() + body).hexdigest()
        with self.books.transaction() as db:
            known = db.execute("SELECT * FROM keys WHERE key = ?", [key]).fetchone()
            if known and known["fingerprint"] != fingerprint:
                raise Problem(422, "key_reused", "This key belongs to another request.")
            if known:
                return known["status"], json.loads(known["answer"])
            status, answer = self._do(db, call, ref, number, body)
            kept = [key, call, fingerprint, status, json.dumps(answer)]
            db.execute("INSERT INTO keys VALUES (?, ?, ?, ?, ?)", kept)
        return status, answer

    def _do(self, db: reading.Db, call: str, ref: str, number: str, body: bytes) -> tuple[int, Json]:
        shape, change = writing.CALLS[call]
        try:
            with attempt(db):
                return 200, change(db, ref, number, shape.model_validate_json(body or b"{}"))
        except ValidationError as error:
            wrong = ", ".join(".".join(map(str, item["loc"])) or "body" for item in error.errors())
            return 422, {"code": "invalid", "message": f"This is not as expected: {wrong}."}
        except Problem as problem:
            return problem.status, problem.as_json()


def _call(method: str, path: str) -> tuple[str, str, str]:
    """The name of the call, the customer's id, and the order's or return's number where there is one."""
    for wanted, pattern, call in WRITES:
        if method == wanted and (found := re.fullmatch(pattern, path)):
            ref, number = map(unquote, found.groups())
            return call, ref, number
    raise Problem(404, "no_such_call", "There is no such call.")


def outcome(db: reading.Db, key: str) -> Json:
    """What became of a key. Its answer is written with the change, so here it is never unknown."""
    known = db.execute("SELECT * FROM keys WHERE key = ?", [key]).fetchone()
    if known is None:
        return {"state": "never"}
    answer = json.loads(known["answer"])
    if known["status"] == 200:
        return {"state": "done", "call": known["call"], "answer": answer}
    return {"state": "refused", "call": known["call"], **answer}


class Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 with kept connections."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "FjellCycles", ""
    timeout = 30
    disable_nagle_algorithm = True
    api: Api

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_PATCH = do_GET

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        try:
            body = self._body()
            if parts.path == "/healthz":
                self._send(200, {"status": "ok"})
            elif not self.api.allows(self.headers.get("Authorization", "")):
                self._send(401, {"code": "not_authorised", "message": "A bearer token is needed."})
            elif self.command == "GET":
                self._send(200, self.api.read(parts.path, query))
            else:
                key = self.headers.get("Idempotency-Key", "")
                self._send(*self.api.write(self.command, parts.path, body, key))
        except Problem as problem:
            self._send(problem.status, problem.as_json())

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > LARGEST or self.headers.get("Transfer-Encoding"):
            self.close_connection = True  # what follows is not read
            raise Problem(413, "too_large", "A body of at most 64 KiB with its Content-Length is expected.")
        return self.rfile.read(int(length))

    def _send(self, status: int, answer: Json) -> None:
        body = json.dumps(answer, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """A line for each request would bury what the shop's people look for."""


def serve(*, port: int, data: Path, token: str) -> ThreadingHTTPServer:
    """The server, bound and not yet running; new books get the cast. Port 0 takes a free one."""
    books = Books(data)
    if books.is_new:
        with books.transaction() as db:
            seed.fill(db)
    server = ThreadingHTTPServer((HOST, port), type("Bound", (Handler,), {"api": Api(books, token)}))
    server.daemon_threads = True
    return server


def _limit(query: dict[str, str]) -> int:
    text = query.get("limit", "20")
    if not text.isdigit() or not 1 <= int(text) <= 100:
        raise Problem(422, "invalid", "A limit from 1 to 100 is expected.")
    return int(text)


def _since(query: dict[str, str]) -> datetime:
    try:
        since = datetime.fromisoformat(query.get("since", ""))
        if since.tzinfo is None:
            raise ValueError
    except ValueError as error:
        raise Problem(422, "invalid", "since: a moment with its offset is expected.") from error
    return since


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m examples.bikeshop.server", description="Fjell Cycles' own system.")
    parser.add_argument("--port", type=int, default=8900)
    parser.add_argument("--data", type=Path, required=True, help="the SQLite file; made and filled when it is missing")
    parser.add_argument("--token", default=TOKEN)
    chosen = parser.parse_args()
    server = serve(port=chosen.port, data=chosen.data, token=chosen.token)
    print(f"Fjell Cycles at http://{HOST}:{server.server_address[1]}, token {chosen.token}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
