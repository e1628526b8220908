"""The shop's own backend: the product's HTTP adapter, with what is different here.

BACKEND=examples.bikeshop.backend.BikeshopBackend
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from tickets.backends import backend, wire
from tickets.backends.http import HttpBackend
from tickets.backends.port import By
from tickets.backends.records import Who


class Fitting(wire.Wire):
    """A bike fitting that can be booked; `time` is the shop's own name of it."""

    time: wire.Key
    store: wire.Short
    starts_at: wire.Moment


class Fittings(wire.Wire):
    fittings: list[Fitting]


class BookedFitting(wire.Owned, Fitting):
    """One that is somebody's."""


class BikeshopBackend(HttpBackend):
    """Beside what every shop has, Fjell Cycles puts bikes together, and books fittings."""

    # A paid bike goes to the workshop first: from then on the order is as good as packed.
    order_states: ClassVar[Mapping[str, str]] = {"assembling": "packed"}

    def fitting_times(self, store: str) -> Sequence[Fitting]:
        """What is free, soonest first. Raises Unreachable."""
        found = self._get(Fittings, "fittings", store=store)
        return found.fittings if found else ()

    def book_fitting(self, who: Who, *, time: str, by: By) -> BookedFitting:
        """Raises what every write raises; Refused with the code `taken` when somebody was faster."""
        return self._write(BookedFitting, who, ("fittings",), {"time": time}, by)

    def cancel_fitting(self, who: Who, *, time: str, by: By) -> None:
        self._write(BookedFitting, who, ("fittings", time, "cancellation"), {}, by)


def bikeshop() -> BikeshopBackend:
    """The configured backend, which has to be this one."""
    found = backend()
    if not isinstance(found, BikeshopBackend):
        raise TypeError("Fittings need BACKEND=examples.bikeshop.backend.BikeshopBackend.")
    return found
