"""The registry in a database whose collation orders texts otherwise than C does."""

from context_world import World, enter
from harness import Server


def test_the_registry_is_found_by_index(server: Server):
    """In ICU's order a_x comes before a1, in C's after it."""
    server.dropdb("icu")
    server.execute("create database icu template template0 locale_provider icu icu_locale 'en-US'")
    world = World.create_in(server, "icu")
    for tier in ("a1", "a_x", "ab", "a_b"):
        world.admin("select tenancy.define_tier(%s, limits => '{\"work_mem\": \"64kB\"}')", tier)
        world.admin("select tenancy.provision(%s, tier => %s)", tier.replace("_", "-"), tier)
        world.admin("select tenancy.add_alias(%s, %s, %s)", tier.replace("_", "-"), f"kind_{tier}", tier)
    with world.connect() as connection:
        for tier in ("a1", "a_x", "ab", "a_b"):
            with connection.transaction():
                enter(connection, f"kind_{tier}:{tier}")
                assert connection.execute("show work_mem").fetchone() == ("64kB",)
    with world.connect("ops") as connection:
        connection.execute("select tenancy.suspend('a1', 'test')")
    server.dropdb("icu")
