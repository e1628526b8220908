"""The people of the demo: teams, staff and the customers. Only the cast can sign in."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import Group
from django.utils.crypto import salted_hmac

from tickets.demo.content import content
from tickets.demo.world import World
from tickets.models import Availability, Customer, Plan, Role, StaffProfile, Team, User

DEMO_PASSWORD = "alder-demo"  # noqa: S105 - public on purpose, and only with DEMO
CUSTOMERS = 200
COUNTRIES = {
    "US": "United States",
    "CA": "Canada",
    "DE": "Germany",
    "NL": "Netherlands",
    "FR": "France",
    "IT": "Italy",
    "SE": "Sweden",
    "PL": "Poland",
    "PT": "Portugal",
    "IE": "Ireland",
    "ES": "Spain",
}

TEAMS = [
    ("support", "Support"),
    ("billing", "Billing"),
    ("engineering", "Engineering"),
    ("account_management", "Account management"),
]


@dataclass(frozen=True)
class StaffPerson:
    username: str
    first: str
    last: str
    role: Role
    team: str
    availability: Availability


@dataclass(frozen=True)
class CastMember:
    """A customer one can sign in as."""

    email: str
    name: str
    plan: Plan
    phone: str
    address: str
    since_days: int


STAFF = [
    StaffPerson("agent", "Robin", "Castellano", Role.AGENT, "support", Availability.AVAILABLE),
    StaffPerson("agent2", "Wren", "Takahashi", Role.AGENT, "billing", Availability.AVAILABLE),
    StaffPerson("lead", "Ingrid", "Solberg", Role.LEAD, "support", Availability.BUSY),
    StaffPerson("ops", "Devon", "Park", Role.OPS, "engineering", Availability.AWAY),
    StaffPerson("admin", "Harriet", "Vance", Role.ADMIN, "account_management", Availability.AWAY),
]
CAST = [
    CastMember("maya.okafor@example.com", "Maya Okafor", Plan.FREE, "+1 503 555 0142",
               "2218 SE Ankeny Street\nPortland, OR 97214\nUnited States", 412),
    CastMember("jonas.lindqvist@example.com", "Jonas Lindqvist", Plan.PLUS, "+1 206 555 0187",
               "615 Fremont Place N\nSeattle, WA 98103\nUnited States", 731),
    CastMember("priya.raman@example.org", "Priya Raman", Plan.ENTERPRISE, "+1 541 555 0119",
               "Cascadia Guides LLC\n84 Wall Street\nBend, OR 97703\nUnited States", 655),
    CastMember("tomas.herrera@example.com", "Tomás Herrera", Plan.FREE, "+1 505 555 0164",
               "1407 Lomas Boulevard NE\nAlbuquerque, NM 87106\nUnited States", 268),
    CastMember("claire.beaulieu@example.com", "Claire Beaulieu", Plan.FREE, "+1 604 555 0133",
               "3390 West 4th Avenue\nVancouver, BC V6R 1N6\nCanada", 540),
    CastMember("ellen.whitfield@example.com", "Ellen Whitfield", Plan.FREE, "",
               "52 Prospect Hill Road\nBurlington, VT 05401\nUnited States", 1),
]  # fmt: skip


def demo_password(username: str) -> str:
    """Without DEMO nobody can guess it: it is then derived from SECRET_KEY, and only seed_demo prints it."""
    return DEMO_PASSWORD if settings.DEMO else _secret_password(username)


def password_of(user: User) -> str:
    """The password a member of the cast was written with, whatever DEMO says to the process that asks."""
    return DEMO_PASSWORD if _is_public(user.password) else _secret_password(user.username)


def _secret_password(username: str) -> str:
    return salted_hmac("tickets.demo.password", username).hexdigest()[:20]


@cache
def _is_public(hashed: str) -> bool:
    return check_password(DEMO_PASSWORD, hashed)


def seed_teams(world: World) -> dict[str, Team]:
    """The four teams by slug; one that exists already is kept."""
    known = {team.slug: team for team in Team.objects.all()}
    for slug, name in TEAMS:
        if slug not in known:
            address = f"{slug.replace('_', '-')}@alderandpine.example"
            known[slug] = world.add(Team, world.ago(days=700), slug=slug, name=name, email=address)
    return known


def seed_staff(world: World, teams: dict[str, Team]) -> dict[str, User]:
    """Staff by username, each with profile and group; only `admin` is a superuser."""
    made = {}
    membership = User.groups.through
    for person in STAFF:
        user = world.keep(
            User(
                id=world.id_at(world.ago(days=690)),
                username=person.username,
                email=f"{person.first.lower()}@alderandpine.example",
                first_name=person.first,
                last_name=person.last,
                password=_hashed(demo_password(person.username)),
                is_staff=True,
                is_superuser=person.role is Role.ADMIN,
                date_joined=world.ago(days=690),
            )
        )
        group, _ = Group.objects.get_or_create(name=person.role.value)
        world.keep(membership(user_id=user.pk, group_id=group.pk))
        world.add(
            StaffProfile,
            world.ago(days=690),
            user=user,
            team=teams[person.team],
            display_name=f"{person.first} {person.last[0]}.",
            availability=person.availability,
        )
        made[person.username] = user
    return made


def seed_customers(world: World) -> tuple[dict[str, Customer], list[Customer]]:
    """(the cast by e-mail, everybody else); the cast have users of their own."""
    cast = {}
    for member in CAST:
        joined = world.ago(days=member.since_days)
        first, _, last = member.name.partition(" ")
        user = world.keep(
            User(
                id=world.id_at(joined),
                username=member.email,
                email=member.email,
                first_name=first,
                last_name=last,
                password=_hashed(demo_password(member.email)),
                date_joined=joined,
            )
        )
        cast[member.email] = world.add(
            Customer,
            joined,
            user=user,
            email=member.email,
            name=member.name,
            phone=member.phone,
            shipping_address=member.address,
            plan=member.plan,
            marketing_opt_in=member.plan != Plan.FREE,
        )
    return cast, [_stranger(world, number) for number in range(CUSTOMERS - len(CAST))]


def _stranger(world: World, number: int) -> Customer:
    people = content("people")
    firsts, lasts = people["first_names"], people["last_names"]
    first, last = firsts[number * 7 % len(firsts)], lasts[number * 11 % len(lasts)]
    region = world.weighted({"US": 80, "CA": 10, "EU": 10})
    plan = world.weighted({Plan.FREE: 80, Plan.PLUS: 15, Plan.ENTERPRISE: 5})
    status = world.weighted({Customer.Status.ACTIVE: 97, Customer.Status.SUSPENDED: 2, Customer.Status.CLOSED: 1})
    phone = "".join(world.digits(1) if letter == "#" else letter for letter in people["phones"][region])
    return world.add(
        Customer,
        world.ago(days=world.between(5, 900)),
        email=f"{_plain(first)}.{_plain(last)}{number or ''}@example.{'org' if number % 5 == 0 else 'com'}",
        name=f"{first} {last}",
        phone=phone if number % 3 else "",
        shipping_address=_address(world, region),
        plan=plan,
        status=status,
        marketing_opt_in=world.chance(0.35),
    )


def _address(world: World, region: str) -> str:
    """Street, town and country, each on a line; in Europe the postal code comes first."""
    people = content("people")
    street = world.pick(people["streets"][region]).format(n=world.rng.randrange(3, 980))
    place = world.pick(people["cities"][region])
    town = (
        f"{place['city']}, {place['region']} {place['postal']}"
        if place["region"]
        else (f"{place['postal']} {place['city']}")
    )
    return f"{street}\n{town}\n{COUNTRIES[place['country']]}"


def _plain(name: str) -> str:
    """A name as it stands in an address: without accents, blanks and apostrophes."""
    letters = unicodedata.normalize("NFKD", name.lower())
    return "".join(letter for letter in letters if letter.isascii() and letter.isalnum())


@cache
def _hashed(password: str) -> str:
    """Equal passwords are hashed once, because a good hash takes its time."""
    return make_password(password)
