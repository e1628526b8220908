"""Bike fittings: an hour with somebody who sets the bike to its rider. What the product has no word for, on the shop's
side: backend.py asks for it and tools.py offers it."""

from __future__ import annotations

import re
import sqlite3
from datetime import UTC, date, datetime

from pydantic import BaseModel, ConfigDict, Field

from examples.bikeshop.reading import Db, Json, Problem, customer, missing, moment
from examples.bikeshop.stores import FITTING_HOURS, at, store_of, times

TIME = r"(oslo|bergen)-(\d{4}-\d{2}-\d{2})-(\d{2})"


class Body(BaseModel):
    """Of every change: what asked for it. `approved_by` is the member of staff who approved it, where one had to."""

    model_config = ConfigDict(extra="forbid")
    action_id: str = Field("", max_length=64)
    approved_by: str = Field("", max_length=150)


class Book(Body):
    time: str = Field(pattern=f"^{TIME}$")


def free(db: Db, store: str) -> Json:
    """The times nobody has booked, soonest first."""
    if store_of(store) is None:
        raise missing("store")
    taken = {row["time"] for row in db.execute("SELECT time FROM fittings")}
    found = [_shown(store, starts_at) for starts_at in times(FITTING_HOURS, datetime.now(UTC))]
    return {"fittings": [fitting for fitting in found if fitting["time"] not in taken]}


def book(db: Db, ref: str, _: str, body: Book) -> Json:
    customer(db, ref)
    store, _day, _hour = _parts(body.time)
    if body.time not in {_shown(store, hour)["time"] for hour in times(FITTING_HOURS, datetime.now(UTC))}:
        raise Problem(409, "not_offered", "There is no fitting at that time.")
    try:
        db.execute("INSERT INTO fittings VALUES (?, ?)", [body.time, ref])
    except sqlite3.IntegrityError as error:
        raise Problem(409, "taken", "Somebody else has just booked that time.") from error
    return _booked(db, ref, body.time)


def cancel(db: Db, ref: str, time: str, _: Body) -> Json:
    booked = _booked(db, ref, time)
    db.execute("DELETE FROM fittings WHERE time = ? AND customer = ?", [time, ref])
    return booked


def _booked(db: Db, ref: str, time: str) -> Json:
    if not db.execute("SELECT 1 FROM fittings WHERE time = ? AND customer = ?", [time, ref]).fetchone():
        raise missing("fitting")
    store, day, hour = _parts(time)
    return {"customer": ref, **_shown(store, at(date.fromisoformat(day), int(hour)))}


def _shown(store: str, starts_at: datetime) -> Json:
    return {"time": f"{store}-{starts_at:%Y-%m-%d-%H}", "store": store, "starts_at": moment(starts_at)}


def _parts(time: str) -> tuple[str, str, str]:
    found = re.fullmatch(TIME, time)
    if found is None:
        raise missing("fitting")
    store, day, hour = found.groups()
    return store, day, hour
