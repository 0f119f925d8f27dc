"""A database of the demo's schema and more (schema.sql), in which each value tells whose it is (rows.sql)."""

import base64
from dataclasses import dataclass
from pathlib import Path

from harness import Server
from harness.server import ROOT

HERE = Path(__file__).parent
APP = "chat_app"
PROTECTED = ("bots", "contacts", "conversations", "messages", "message_attachments", "events", "samples", "readings")

ROLES = """
do $$ declare name text; begin
    foreach name in array array['chat_owner', 'chat_app', 'chat_api'] loop
        if to_regrole(name) is null then execute format('create role %I login', name); end if;
    end loop;
end $$;
grant all on database {database} to chat_owner;
grant create, usage on schema public to chat_owner;
create extension tenancy;
"""

PROTECT = """
select tenancy.protect('message_attachments', via => 'message_id');
select tenancy.protect('events'), tenancy.protect('readings');
select tenancy.share('countries'), tenancy.exempt('outbox', 'no tenants in it');
select tenancy.grant_access('chat_app', '*', reason => 'tests', session_scope => true);
"""

FOREIGN = "select md5(string_agg(t::text, '' order by t::text collate \"C\")) from {table} t where tenant_id <> %s"


@dataclass(frozen=True)
class Tenant:
    """A tenant, and what its values are made of. `rune` is a letter that nobody else's texts have: any piece of a
    text has it, whatever functions cut, join or turn round."""

    slug: str
    id: str
    rune: str
    digits: str  # an integer, and the beginning of larger numbers
    day: str
    address: str
    rows: int

    def marks(self) -> list[bytes]:
        """What gives a value of the tenant away, in the forms in which the server prints it, in lower case."""
        rune = self.rune.encode()
        hours = f"{int(self.digits) // 3600}:"  # of the digits as seconds
        texts = [self.slug, self.id, self.id.replace("-", ""), self.digits, self.day, self.address, hours,
                 rune.hex() * 2, f"\\u{ord(self.rune):04x}", "".join(f"\\{byte:o}" for byte in rune)]
        return [rune, *(text.encode() for text in texts)]

    def marks_in_case(self) -> list[bytes]:
        """Those that lower case would spoil: base64 of the letter three times, at each offset."""
        return [base64.b64encode(b"-" * offset + self.rune.encode() * 3)[4:12] for offset in range(3)]


TENANTS = (
    Tenant("acme", "ac3e0000-0000-4000-8000-000000000001", "\u16d2", "1330330133", "2133-03-", "13.30.33.", 120),
    Tenant("globex", "910be000-0000-4000-8000-000000000002", "\u16a0", "1770770177", "2177-07-", "17.70.77.", 60),
    Tenant("initech", "171ec000-0000-4000-8000-000000000003", "\u16df", "1990990199", "2199-09-", "19.90.99.", 5),
)


class World:
    """The database, filled and protected."""

    def __init__(self, server: Server, database: str) -> None:
        self.server, self.database = server, database
        server.createdb(database)
        server.execute(ROLES.format(database=database), dbname=database)
        server.psql((ROOT / "demo" / "schema.sql").read_text(), user="chat_owner", dbname=database)
        server.psql((HERE / "schema.sql").read_text(), user="chat_owner", dbname=database)
        for tenant in TENANTS:
            self._fill(tenant)
        for table in PROTECTED[:4]:
            self.admin(f"select tenancy.protect('{table}')")
        self.admin("select tenancy.protect('samples', harden_keys => 'keys')")
        self.admin(PROTECT)
        server.psql((HERE / "watch.sql").read_text(), user="chat_owner", dbname=database)
        for table in (*PROTECTED, "outbox"):
            self.admin(f"create table pristine_{table} as select * from {table}")
        self.admin("vacuum analyze")

    def admin(self, sql: str, *parameters: object) -> list[tuple[object, ...]]:
        return self.server.execute(sql, parameters or None, dbname=self.database)

    def _fill(self, tenant: Tenant) -> None:
        self.admin(f"select tenancy.provision('{tenant.slug}', id => '{tenant.id}')")
        values = {"id": tenant.id, "slug": tenant.slug, "mark": 3 * tenant.rune, "digits": tenant.digits,
                  "day": f"{tenant.day}07", "address": tenant.address, "rows": str(tenant.rows)}
        options = [word for name, value in values.items() for word in ("-v", f"{name}={value}")]
        self.server.psql((HERE / "rows.sql").read_text(), *options, dbname=self.database)

    def foreign_rows(self, tenant: Tenant) -> dict[str, object]:
        """A digest of all rows that are not the tenant's, by table."""
        return {table: self.admin(FOREIGN.format(table=table), tenant.id)[0][0] for table in PROTECTED}

    def restore(self, tenant: Tenant) -> None:
        """Gives the tenant the rows back that it began with, and clears the table that is everybody's of its own."""
        steps = ["set session_replication_role = replica"]
        for table, own in [(table, f"tenant_id = '{tenant.id}'") for table in PROTECTED] + [("outbox", "true")]:
            steps.append(f"delete from {table} where {own}")
            steps.append(f"insert into {table} overriding system value select * from pristine_{table} where {own}")
        self.admin("; ".join(steps))
