"""Keys that come with their certificates: read where a statement has no snapshot, too."""

import base64
import os

from context_world import World, bodies, enter, world  # noqa: F401
from psycopg import ClientCursor

from .test_context_tokens import Signer


def test_a_key_with_its_certificates(world: World):  # noqa: F811
    tenant = world.tenant()
    signer = Signer("RS256", "certified")
    signer.jwk["x5c"] = [base64.b64encode(os.urandom(2400)).decode()]  # type: ignore[assignment]
    signer.register(world, ["*"], default_mode="read_write")
    with world.connect("app_none") as connection:
        connection.execute("begin")
        enter(connection, signer.token(tenant))
        connection.execute("insert into app.note (body) values ('more')")
        world.tenant()
        connection.execute("commit")
    assert world.stored(tenant) == 3
    world.admin(f"alter role app_none in database {world.database} set tenancy.literal_tokens = on")
    with world.connect("app_none", cursor_factory=ClientCursor) as connection, connection.transaction():
        connection.execute(f"set local tenancy.context = '{signer.token(tenant)}'")
        assert bodies(connection) == {tenant.slug, "more"}
