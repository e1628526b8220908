"""Names and places the demo's customers are drawn from. All invented; e-mails are of example.com and example.org."""

from __future__ import annotations

_FIRST_NAMES = """
Amara Liam Sofia Noah Hana Ethan Leïla Oscar Grace Mateo Ines Caleb Yuki Owen Freya Daniel Nadia Lucas Ruth Felix
Chloe Andre Mina Theo Alice Rafael Zoe Henry Aisha Simon Laura Victor Nora Samuel Elena Marcus Ivy Julian Tessa
Gabriel Maren Adrian Paula Hugo Kira Dominic Rosa Elias Joan Peter
"""
_LAST_NAMES = """
Abbott Nguyen Silva Kowalski Brennan Haddad Ortiz Fischer Lambert Okoye Petersen Moreau Castillo Ito Novak Graham
Rossi Lindgren Mbeki Farrell Sato Vargas Whitaker Dubois Jensen Amin Keller Torres Bianchi Reyes Hoffman Larsen
Chandra Murphy Popov Ellis Romero Kim Sandoval Becker Pratt Ferreira Yilmaz Nolan Weiss Delgado Holm Barnes Sharma
Quinn Andersen Leclerc Mercer
"""
FIRST, LAST = _FIRST_NAMES.split(), _LAST_NAMES.split()
_US, _CA = "United States", "Canada"
ADDRESSES = [
    ("NE Alberta Street", f"Portland, OR 97211\n{_US}"),
    ("SW Hawthorne Avenue", f"Portland, OR 97214\n{_US}"),
    ("Willamette Street", f"Eugene, OR 97401\n{_US}"),
    ("Ballard Avenue NW", f"Seattle, WA 98107\n{_US}"),
    ("N Division Street", f"Spokane, WA 99202\n{_US}"),
    ("W Bannock Street", f"Boise, ID 83702\n{_US}"),
    ("Higgins Avenue", f"Missoula, MT 59801\n{_US}"),
    ("Larimer Street", f"Denver, CO 80205\n{_US}"),
    ("Valencia Street", f"San Francisco, CA 94110\n{_US}"),
    ("E Colorado Boulevard", f"Pasadena, CA 91101\n{_US}"),
    ("S Congress Avenue", f"Austin, TX 78704\n{_US}"),
    ("N Milwaukee Avenue", f"Chicago, IL 60647\n{_US}"),
    ("Hennepin Avenue", f"Minneapolis, MN 55408\n{_US}"),
    ("Bedford Avenue", f"Brooklyn, NY 11211\n{_US}"),
    ("Congress Street", f"Portland, ME 04101\n{_US}"),
    ("Merrimon Avenue", f"Asheville, NC 28801\n{_US}"),
    ("Peachtree Street NE", f"Atlanta, GA 30308\n{_US}"),
    ("Commercial Drive", f"Vancouver, BC V5L 3X1\n{_CA}"),
    ("Queen Street West", f"Toronto, ON M6J 1E4\n{_CA}"),
    ("Rue Saint-Denis", f"Montréal, QC H2J 2K8\n{_CA}"),
    ("Prenzlauer Allee", "10405 Berlin\nGermany"),
    ("Rue des Martyrs", "75009 Paris\nFrance"),
    ("Haarlemmerdijk", "1013 Amsterdam\nNetherlands"),
    ("Södermannagatan", "116 23 Stockholm\nSweden"),
]
