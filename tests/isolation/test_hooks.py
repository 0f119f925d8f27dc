"""What the hooks know of where a backend is survives errors that PostgreSQL raises on the way."""

from context_world import World, bodies, enter, refused, world  # noqa: F401

# Each raises inside a hook or inside what a hook calls.
ERRORS = {
    "while a statement is looked at": ("alter table elsewhere.app.note validate constraint note_pkey", "0A000"),
    "in planning": ("select 1 / 0", "22012"),
    "in running": ("select 1 / (select count(*) from app.note where false)", "22012"),
    "in a utility statement": ("alter table app.missing add column x int", "42P01"),
    "in a nested statement": ("do $$ begin perform 1 / (select 0); end $$", "22012"),
}


def test_a_session_goes_on_after_an_error_in_a_hook(world: World):
    tenant = world.tenant()
    world.admin("alter role app_some in database " + world.database + " set tenancy.guard = off")
    world.grant("app_some", tenant)
    with world.connect("app_some") as connection:
        for statement, sqlstate in ERRORS.values():
            with refused(sqlstate), connection.transaction():
                enter(connection, tenant)
                connection.execute(statement)
            with connection.transaction():
                enter(connection, tenant)
                assert bodies(connection) == {tenant.slug}
