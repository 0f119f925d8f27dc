"""No name is cut short to that of another tenant."""

from context_world import World, refused, world  # noqa: F401


def test_external_ids_fit_what_a_context_holds(world: World):  # noqa: F811
    fits = "é" * 127 + "x"  # 255 bytes
    world.tenant(slug="fits", external_id=fits)
    with refused("TN011"):
        world.tenant(slug="longer", external_id=fits + "yz")
    with world.connect() as connection, connection.transaction():
        connection.execute("select tenancy.enter('fits')")
        assert connection.execute("select tenancy.current_tenant_external_id()").fetchone() == (fits,)
