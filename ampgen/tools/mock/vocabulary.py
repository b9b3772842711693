"""What plausible texts are made of.

Hosts and networks are those that are set aside for examples (RFC 2606, RFC 5737): see
``plausible``.
"""

# Words in a string: a table of them reads best so.
# ruff: noqa: SIM905

from __future__ import annotations

FIRST_NAMES = """
    Ada Bruno Chidi Dana Emeka Freya Goran Hana Imani Jonas Kaja Leïla Mateo Noor Olga
    Pavel Rosa Søren Tariq Zoë
""".split()
LAST_NAMES = """
    Adeyemi Bauer Costa Dvořák Eklund Fischer García Haddad Ivanov Jansen Kowalski
    Lindqvist Moreau Nakamura Okafor Petrov Rossi Silva Tanaka Weber
""".split()
LOGINS = """
    ada bruno chidi dana emeka freya goran hana imani jonas kaja leila mateo noor olga
    pavel rosa soren tariq zoe
""".split()
ADJECTIVES = """
    amber brisk calm deep early fresh golden hollow ivory keen light mellow narrow old
    plain quiet round silver tall warm
""".split()
NOUNS = """
    anchor basket candle door engine feather garden harbour island jacket kettle ladder
    mirror needle orchard pencil quilt river stone tunnel
""".split()
VERBS = "carries covers finds follows holds keeps meets needs passes turns".split()
CITIES = """
    Accra Bergen Cusco Dublin Essen Fukuoka Ghent Hobart Izmir Jaipur Kraków Lima Málaga
    Nairobi Oslo Porto Québec Riga Tartu Zürich
""".split()
COUNTRIES = "Austria Brazil Canada Denmark Egypt Finland Ghana India Japan Peru".split()
CURRENCIES = "BRL CAD CHF DKK EUR GBP INR JPY PEN USD".split()
LANGUAGES = "da de en es fi fr hi ja pt tr".split()
LOCALES = "da-DK de-AT en-CA es-PE fi-FI fr-CA hi-IN ja-JP pt-BR tr-TR".split()
COLOURS = "black blue brown green grey orange pink red violet white yellow".split()
STATES = "active closed done failed new open paused pending ready running".split()
EXTENSIONS = "csv jpg json log md pdf png tar.gz txt".split()
MEDIA_TYPES = """
    application/json application/pdf image/jpeg image/png text/csv text/plain
""".split()
TOP_LEVELS = "com net org".split()
NETWORKS = "192.0.2 198.51.100 203.0.113".split()
ZONES = "America/Lima Asia/Tokyo Africa/Accra Europe/Riga Europe/Zurich UTC".split()
UNITS = "g kg km l m min ml s".split()
FOLDERS = "/home/data /srv/files /tmp /var/lib/store /var/log".split()

PEOPLE = frozenset(
    """
    account admin assignee author client contact customer employee friend member owner
    passenger patient people person player recipient reviewer sender signer student
    teacher user who writer
    """.split()
)
FILES = frozenset("archive attachment document file folder log upload".split())
PLACES = frozenset("city country location place station town".split())
