"""How a tenant's data reaches others in PostgreSQL: one row for each way, under an id that never changes.

The tests of this folder are named after the ids, and docs/explanation/threats.md is made from this table
and from them (scripts/threats). The answers:

P  the extension prevents it
L  tenancy.check_isolation() finds it
A  an attack test shows it, first without the extension
D  what remains of it is documented, here

A row with P counts as prevented, else one with L as found by the linter, else as documented.
"""

from dataclasses import dataclass
from enum import Enum


class Status(Enum):
    PREVENTED = "prevented"
    FOUND = "found by the linter"
    DOCUMENTED = "documented"


@dataclass(frozen=True)
class Leak:
    """`remains` says in plain words what is left of it. `elsewhere` names tests outside this folder."""

    id: str
    title: str
    answers: str
    remains: str
    elsewhere: tuple[str, ...] = ()

    @property
    def letters(self) -> set[str]:
        return set(self.answers.split(", "))

    @property
    def status(self) -> Status:
        if "P" in self.letters:
            return Status.PREVENTED
        return Status.FOUND if "L" in self.letters else Status.DOCUMENTED


AREAS = {
    "C": "Configuration",
    "O": "Objects around a table",
    "K": "Constraints that tell",
    "P": "Planner and executor",
    "X": "Context and pooling",
    "R": "Stores and copies",
}

NOTHING = "–"
OWNERS = "Owners of protected tables are trusted."

_CONFIGURATION = [
    Leak("C01", "Row security is off, or policies are there while it is off", "P, L, A", NOTHING,
         ("tests/pgtap/isolation_ddl.sql", "tests/pgtap/isolation_protect.sql")),
    Leak("C02", "The owner reads everything where row security is not forced", "P, L, A",
         "A superuser reads everything all the same.", ("tests/pgtap/isolation_ddl.sql",)),
    Leak("C03", "A superuser or a role with BYPASSRLS, or a membership that leads to one", "L, A",
         "Roles with BYPASSRLS are stopped at protected tables until they are registered and have entered all tenants. "
         "pg_stats shows them the most common values of tables that they may read, registered or not. "
         "Superusers are asked nothing, and neither is who can become one.", ("tests/isolation/test_guard_bypass.py",)),
    Leak("C04", "Rights below SQL: pg_read_server_files, pg_execute_server_program, REPLICATION, pageinspect", "L",
         "Whoever reads the files reads all tenants."),
    Leak("C05", "A permissive policy added later opens the table beside the others", "P, L, A",
         "Within a tenant such a policy counts.", ("tests/pgtap/isolation_ddl.sql",)),
    Leak("C06", "Loose policies of one's own: true, OR true, IS NULL OR, COALESCE on the tenant column", "L, A",
         "On protected tables the restrictive policies hold beside them; other tables are their owner's."),
    Leak("C07", "The tenant column may be NULL, can be changed, or compares by a non-deterministic collation", "P, L, A", NOTHING,
         ("tests/pgtap/isolation_protect.sql", "tests/pgtap/isolation_ddl.sql")),
    Leak("C08", "A command without a policy", "P, L, A", NOTHING, ("tests/pgtap/isolation_protect.sql",)),
    Leak("C09", "A new table with a tenant column that nobody protected; default privileges to PUBLIC", "L, A",
         "A notice says so when the table is made; nothing keeps it from being used."),
    Leak("C10", "TRUNCATE, REFERENCES and (from 17 on) MAINTAIN are exempt from row security; TRIGGER plants code in others' statements",
         "P, L, A", OWNERS),
    Leak("C44", "On 15 a role with CREATEROLE grants itself any role, those with BYPASSRLS too; ADMIN OPTION", "L, A",
         "Treat CREATEROLE on 15 as superuser."),
    Leak("C45", "The library is not loaded when a session begins: TEMPLATE copies, a role's own list, background workers", "P, L, A",
         "Nothing is answered then, which an operator has to notice and mend."),
    Leak("C46", "DROP ... CASCADE of the extension, a schema, a function or the tenant column takes the restrictive policy away, and a permissive one stays",
         "P, A", "A superuser who sets tenancy.guard to off may drop it all; the tables then show nothing."),
    Leak("C47", "REASSIGN OWNED, ALTER ROLE and ALTER DATABASE fire no event trigger, and session_replication_role = replica silences triggers",
         "P, L, A", "A role that was granted SET on session_replication_role can set it in the middle of its own statement, whose rows no foreign key "
         "then checks."),
    Leak("C48", "The owner reads all rows through index, check and generated expressions, USING of a type change, statistics", "L, A, D",
         "Owners of protected tables are trusted: let a role that nobody logs in as own them, protect(..., owner => ...)."),
]

_OBJECTS = [
    Leak("O11", "A view runs with its owner's rights unless it is security_invoker", "L, A",
         "Views of a superuser read all rows. Those of a table's owner stay in the tenant, and those of roles with BYPASSRLS are refused."),
    Leak("O12", "A materialized view is a copy without policies", "L, A", "Only a superuser or a registered role can fill it for all tenants."),
    Leak("O13", "A SECURITY DEFINER function runs with its owner's rights", "L, A",
         "Those of a superuser read all rows; those of a table's owner stay in the tenant."),
    Leak("O14", "A rule runs with the rights of its table's owner", "L, A", "Rules on tables and views of a superuser reach all rows."),
    Leak("O15", "A SECURITY DEFINER trigger function runs with its owner's rights", "L, A", "Those of a superuser reach all rows."),
    Leak("O16", "A partition or a child, used by its own name, has none of its parent's policies", "P, L, A", NOTHING),
    Leak("O17", "Foreign tables have no row security; dblink and postgres_fdw come back as another role", "L, A",
         "Whoever may use such a server is, on the other side, the role of its user mapping."),
    Leak("O18", "CREATE TABLE AS and other copies carry no policy", "P, L, A",
         "Temporary copies are refused. Tables that an application role may create or write keep what it puts there: take that right away."),
    Leak("O19", "Large objects have no row security", "P, L, A",
         "Sessions that enter no tenant read them all: keep files elsewhere, or as bytea in a protected table."),
    Leak("O20", "The value of a sequence and the gaps in its numbers tell how many rows others insert", "L, A",
         "The sequences of protected tables cannot be read, but gaps in one's own numbers remain: use uuid where volumes matter."),
    Leak("O21", "Logical decoding and publications carry all rows", "L, D", "Whoever may replicate has all tenants' rows."),
    Leak("O22", "Sub-selects in policies: races under READ COMMITTED, recursion", "P, L", "Policies of your own may have them.",
         ("tests/pgtap/isolation_protect.sql",)),
    Leak("O49", "A protected table is put under an unprotected parent, and read and written through it", "P, L, A", NOTHING),
    Leak("O50", "Administrative functions that touch users' tables run the owner's triggers, checks and casts with their own rights", "P, A",
         "This holds for the extension's functions; your own have to take care themselves.", ("tests/pgtap/isolation_hostile.sql",)),
    Leak("O51", "Temporary objects shadow names in SECURITY DEFINER functions", "P, L, A",
         "A temporary table with ON COMMIT DROP still shadows names in functions of your own without a fixed search_path.",
         ("tests/pgtap/shadowing.sql",)),
]

_CONSTRAINTS = [
    Leak("K23", "UNIQUE, PRIMARY KEY and EXCLUDE over all tenants answer whether another tenant has a value", "P, L, A",
         "Only with harden_keys => 'keys'. A primary key of one number stays as it is: whether a number is taken can be asked."),
    Leak("K24", "A foreign key accepts another tenant's parent, and tells whether it exists", "P, L, A",
         "Foreign keys that are added later have to be hardened by calling protect again; a notice says so. Those of one partition that are switched off "
         "are found when rows come through its parent, not refused."),
    Leak("K25", "ON DELETE CASCADE deletes another tenant's rows", "P, L, A",
         "A parent that is not protected and that the application may delete takes all tenants' rows along: use tenancy.share()."),
    Leak("K26", "Errors show values: casts, RAISE of one's own, the server's log", "A, D",
         "PostgreSQL withholds rows from its own messages where row security holds. What your functions raise, and the log, is yours to keep."),
    Leak("K52", "A foreign key added or validated under forced row security counts as valid although hidden rows violate it", "P, L, A", NOTHING),
    Leak("K53", "One tenant stops the others: numbers of a primary key taken beforehand, setval, an exhausted sequence, LOCK TABLE, pg_terminate_backend", "P, A, D",
         "A number can be taken beforehand, GENERATED ALWAYS too: use uuid, or grant INSERT on the other columns alone. "
         "Sequences that belong to no column are yours to keep, and locks, memory and connections are shared."),
]

_PLANNER = [
    Leak("P27", "EXPLAIN shows estimates made from the rows of all tenants", "P, A", "The time a statement takes, and the shape of a plan that somebody else shows."),
    Leak("P28", "EXPLAIN ANALYZE counts the rows that the policy removed", "P, A", NOTHING),
    Leak("P29", "A function marked LEAKPROOF sees rows before the policy removes them", "P, L, A",
         "Only superusers mark functions so, or switch tenancy.index_pushdown off, with which such a function sees all rows "
         "([Index pushdown](index-pushdown.md))."),
    Leak("P30", "Sizes of tables, reltuples, pg_stats of one's own tables, gaps in ctid show totals", "L, A, D", "Totals over all tenants can be read."),
    Leak("P31", "Timing, buffers and other side channels", "D", "Statements of one tenant can be slower when another has much data."),
    Leak("P32", "An IMMUTABLE function in a policy is computed once, and a prepared statement keeps another tenant's value", "P, L, A", NOTHING),
    Leak("P33", "A plan that was kept from another role (CVE-2016-2193, CVE-2023-2455, CVE-2024-10976)", "P, L, A", "Keep PostgreSQL up to date."),
    Leak("P54", "debug_print_plan, and an auto_explain that is loaded, send estimates and counts to the client", "P, L, A",
         "auto_explain.log_level above log, which only superusers set."),
    Leak("P55", "Counters of one's own transaction count the rows of all tenants that a statement passed over", "P, A",
         "Roles with pg_read_all_stats read them."),
    Leak("P56", "Operators that raise an error or a notice depending on the row tell of rows that a policy hides, where they run before it", "P, L, A",
         "Such operators run after the policy, and so do not help to find rows by index: the tenant's index does. An admin may trust an operator of "
         "his own (tenancy.trust_function), which then meets all tenants' values: the linter names it "
         "([Index pushdown](index-pushdown.md))."),
    Leak("P57", "Statistics that are open to the planner show the most common values to a user's operator", "P, A",
         "An operator that an admin trusts (P56) meets them ([Index pushdown](index-pushdown.md))."),
]

_CONTEXT = [
    Leak("X34", "Any SQL sets the tenant: SET, set_config, in the middle of a query", "P, A", NOTHING),
    Leak("X35", "A session's SET reaches the next client of a pooled connection; SET LOCAL outside a transaction does nothing", "P, A",
         "A grant can allow the scope of a session (session_scope): not for pooled roles."),
    Leak("X36", "After SET LOCAL a setting of one's own is '', not NULL, and every statement fails or matches the wrong rows", "P, A", NOTHING),
    Leak("X37", "Cursors WITH HOLD, temporary tables and loops that commit carry rows into the next tenant's transaction", "P, A",
         "Session settings and tables that the application may write can carry values: see O18."),
    Leak("X38", "Advisory locks, NOTIFY, pg_locks, pg_stat_activity and pg_stat_statements are shared by all sessions of a role", "P, L, A, D",
         "Sessions of the role that have entered no tenant read the text of statements: send values as parameters. They also see how many advisory "
         "locks tenants hold, and not which, and share the keys of PostgreSQL's own."),
    Leak("X39", "A tenant kept in a library's variable survives ROLLBACK and is missing in parallel workers", "P, A", NOTHING),
    Leak("X40", "A token is read and used again: in SQL text, SHOW, pg_settings, pg_stat_activity, logs", "P, A",
         "Whoever has a token uses it until it expires or is revoked."),
    Leak("X41", "A suspended tenant goes on in an open transaction, and its COMMIT or PREPARE lands afterwards", "P, A",
         "A statement that runs in that moment may finish; drain waits for it or cancels it."),
    Leak("X42", "Dumps and backups have all rows; a restored one brings an erased tenant back", "A, D",
         "Roles that are not registered for it dump nothing. Keep the list of erasures outside the database and repeat them after a restore."),
    Leak("X43", "The catalog shows names of roles, schemas and policies", "P, L", "Names that you give to objects yourself are seen by all.",
         ("tests/pgtap/isolation_protect.sql",)),
    Leak("X58", "Injected SQL chooses the tenant: before its first use, after COMMIT in the same string, by DO, a function's SET clause, pg_settings", "P, A",
         "Whoever sends whole query strings, with a grant for '*', chooses the tenant: use tokens.", ("tests/isolation/test_context_entry.py",)),
    Leak("X59", "Authority is taken from the owner of a SECURITY DEFINER function, or kept after SET ROLE", "P, A", NOTHING),
    Leak("X60", "A poisoned session: a temporary table in place of a real one, a statement under the driver's name, lastval, settings", "P, A, D",
         "Settings that a client leaves stay in the session, search_path too: have the pooler reset them (DISCARD ALL), qualify names, "
         "and let application roles create no tables.", ("tests/isolation/test_context_leftovers.py",)),
    Leak("X61", "Names that are equal to another tenant's: a slug that is a uuid, '042' and 42, a name used again after an erasure", "P, A", NOTHING),
    Leak("X62", "One customer's identity provider signs for another tenant; keys of two issuers share an id", "P, A",
         "An issuer that is trusted for a tenant is trusted with all of it."),
    Leak("X63", "ADD COLUMN with the context as default stamps all existing rows with one tenant", "P, A", NOTHING),
]

_STORES = [
    Leak("R64", "Redis: RESET, AUTH and HELLO cannot be denied, and lead to an open default user", "A, D",
         "Redis users of the application are yours; tenancyd's probe warns where the default user is open.",
         ("tests/stores/test_redis_access.py::test_probe_finds_an_open_default_user_beside_ours",
          "tests/stores/test_redis_access.py::test_probe_of_a_plain_server")),
    Leak("R65", "Redis: COPY into another database hides keys from an erasure; LCS stops the server; eviction drops others' keys", "P, A",
         "An erasure looks through every database, and the probe warns of eviction. What the application's users may call is yours.",
         ("tests/stores/test_redis_erase.py::test_every_key_in_every_database_goes_and_no_other",
          "tests/stores/test_redis_access.py::test_probe_warns_of_a_server_that_drops_keys")),
    Leak("R66", "A restored or cloned database drives production's stores, and production's tokens open it", "P, A",
         "Tokens of the original open a copy until its signing keys are replaced.",
         ("tests/e2e/stores/test_instance.py::test_not_one_write", "tests/e2e/stores/test_instance.py::test_clone")),
    Leak("R67", "An erasure is called complete while an open or prepared transaction can still write", "P, A",
         "A table that was never protected is not looked at.",
         ("tests/isolation/test_erasure.py", "tests/e2e/stores/test_lies.py::test_lying_about_erasing")),
]

LEAKS = {leak.id: leak for leak in [*_CONFIGURATION, *_OBJECTS, *_CONSTRAINTS, *_PLANNER, *_CONTEXT, *_STORES]}
