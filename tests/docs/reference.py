"""python reference.py DIRECTORY: writes the reference pages from the catalog of the database that
libpq's variables name. Functions whose comment ends in `Internal.`, and those that are steps of a
procedure, are left out."""

import re
import sys
from pathlib import Path
from typing import Any

import psycopg

ROOT = Path(__file__).resolve().parents[2]

FUNCTIONS = """
select p.proname, pg_get_function_arguments(p.oid), p.prokind,
       pg_get_function_result(p.oid), obj_description(p.oid, 'pg_proc'),
       array(select distinct coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC')
             from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as a where a.grantee <> p.proowner order by 1)
from pg_proc as p
where p.pronamespace = 'tenancy'::regnamespace and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
  and obj_description(p.oid, 'pg_proc') !~ '(Internal|A step of [^.]*(\\.erase\\(\\)|\\.drain\\(\\)|the procedures)[^.]*)\\.'
order by p.proname collate "C", p.oid
"""
TABLES = """
select c.relname, obj_description(c.oid, 'pg_class'),
       (select string_agg(format('`%s` %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' order by a.attnum)
        from pg_attribute as a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
       array(select distinct coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC')
             from aclexplode(c.relacl) as a where a.grantee <> c.relowner order by 1)
from pg_class as c
where c.relnamespace = 'tenancy'::regnamespace and c.relkind in ('r', 'v') and c.relname <> 'registry_signal'
order by c.relname collate "C"
"""
SETTINGS = """
select name, vartype || coalesce(' (' || array_to_string(enumvals, ', ') || ')', ''), boot_val,
       case context when 'superuser' then 'superusers' else 'everybody' end, concat_ws(' ', short_desc, extra_desc)
from pg_settings where name like 'tenancy.%' order by name
"""
ERRORS = "select sqlstate, name, http_status, retry, meaning from tenancy.error_code order by sqlstate"

MADE = "<!-- Made by scripts/reference from the catalog's comments. Do not edit. -->\n"

HIDDEN_SETTING = (
    "tenancy.context",
    "string",
    "",
    "everybody, by a top-level SET LOCAL first in its query string",
    "The tenant this transaction works for, as tenancy.enter() takes it; tokens only through enter(). "
    "Cannot be shown: tenancy.current_tenant() tells. Cannot be stored for a role, a database or a function.",
)
ROLES = [
    ("tenancy_admin", "Runs the lives of tenants, protects tables, reads the schema tenancy. No right to tenants' rows."),
    ("tenancy_auditor", "Reads the registry and the audit trail."),
    ("tenancy_sidecar", "For tenancyd: may call the functions by which stores follow tenants, and run due schedules and onboarding."),
    (
        "tenancy_maintainer",
        "NOLOGIN BYPASSRLS, for work on all tenants by SET ROLE. Has no rights on tables until they are granted, and "
        "reads protected tables only once tenancy.register_bypass() has registered it, after tenancy.enter_all(reason).",
    ),
]
POSTGRES_ERRORS = [
    (
        "42501",
        403,
        "no",
        "A missing right: no access to the tenant, a row for another tenant, or something that a guard refuses. "
        "A NULL in the tenant column is `new row violates row-level security policy`, too: leave the column out, its default is "
        "the tenant of the context; where an ORM writes every column, protect the table with `fill_null => true` "
        "([protect](functions.md#protect)).",
    ),
    ("25006", 403, "no", "Writing in a read-only context or for a read-only tenant."),
    ("22023", 400, "no", "A parameter out of range or malformed."),
    ("0A000", 501, "no", "Not supported, with the reason in the message: mostly what protect() cannot protect."),
    ("42704", 404, "no", "A role, tier, step or other object that does not exist."),
    ("55000", 409, "after a change", "An object is not in the state that is needed."),
]


def prose(text: str) -> str:
    """A comment as Markdown takes it literally."""
    return re.sub(r"([<*|])", r"\\\1", text).replace("\n", " ")


def cell(text: Any) -> str:
    return prose(str(text))


def table(head: list[str], rows: list[tuple[Any, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    lines += ["| " + " | ".join(map(cell, row)) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def function(row: tuple[Any, ...]) -> str:
    name, arguments, kind, result, comment, grantees = row
    call = f"CALL tenancy.{name}({arguments})" if kind == "p" else f"tenancy.{name}({arguments}) → {result}"
    who = "" if grantees == ["PUBLIC"] else f"For members of {', '.join(grantees)}. " if grantees else "For superusers. "
    return f"### {name}\n\n`{call}`\n\n{who}{prose(comment)}\n"


def functions(connection: psycopg.Connection[Any]) -> str:
    rows = connection.execute(FUNCTIONS).fetchall()
    everybody = [row for row in rows if row[5] == ["PUBLIC"]]
    operators = [row for row in rows if row[5] and row[5] != ["PUBLIC"]]
    return "\n".join(
        [
            MADE,
            "# Functions\n",
            "Wherever a parameter is called `tenant`, it takes a slug, an id, an external id written `external:42`, "
            "or an alias written `kind:value`.\n",
            "## For every role\n",
            "Each checks by itself what the caller may do.\n",
            *map(function, everybody),
            "## For operators\n",
            "A member of the role counts only together with a row for this database in `tenancy.operator` "
            "(see add_operator); superusers always count.\n",
            *map(function, operators),
        ]
    )


def tables(connection: psycopg.Connection[Any]) -> str:
    sections = [
        f"## {name}\n\n{prose(comment)}\n\nColumns: {columns}.\n\nRead by: {', '.join(readers) or 'superusers'}.\n"
        for name, comment, columns, readers in connection.execute(TABLES)
    ]
    intro = "Tables and views of the schema `tenancy`. They are written by its functions alone.\n"
    return "\n".join([MADE, "# Tables\n", intro, *sections])


def settings(connection: psycopg.Connection[Any]) -> str:
    rows = [HIDDEN_SETTING, *connection.execute(SETTINGS)]
    head = ["setting", "type", "default", "set by", "meaning"]
    return "\n".join(
        [
            MADE,
            "# Settings and roles\n",
            table(head, rows),
            "## Roles\n",
            "Made by CREATE EXTENSION when missing, and never dropped by it: roles belong to the whole cluster.\n",
            table(["role", "what it may do"], ROLES),
        ]
    )


def errors(connection: psycopg.Connection[Any]) -> str:
    head = ["SQLSTATE", "name", "HTTP status", "try again", "meaning"]
    return "\n".join(
        [
            MADE,
            "# Errors\n",
            "What an API should answer with, and whether the same request may be sent again. "
            "Messages and hints never contain values of another tenant. The same table is `tenancy.error_code`.\n",
            table(head, connection.execute(ERRORS).fetchall()),
            "PostgreSQL's own codes are used where they say enough:\n",
            table(["SQLSTATE", "HTTP status", "try again", "meaning"], POSTGRES_ERRORS),
        ]
    )


FINDINGS = "select rule, severity, message, why, demonstration, fix from tenancy.isolation_rules()"
AREAS = {
    "C": "Configuration",
    "O": "Objects around a table",
    "K": "Keys",
    "P": "The planner and the server",
    "X": "The context and the session",
    "S": "The linter itself",
}
FINDINGS_INTRO = """What `tenancy.check_isolation()`, `tenancyd lint` and the plain file `tenancy_lint.sql` find. The id of a rule begins
with that of the leak (see [the list](../explanation/threats.md)) and stays the same. Names in the examples stand for yours; a
finding has the real ones. [Lint in CI](../how-to/lint-in-ci.md) says how to use them.

| severity | means |
| --- | --- |
| error | one tenant can see or change another's rows, or what keeps it from that is off |
| warning | it can under a condition that the catalog does not show, or learns something about others |
| info | nothing is open; know it, or change it when you come by |

A fix that begins with `--` is advice: what is right depends on what was meant. What is not found is not proven: a text
may hide what it does, and the linter reads no rows.
"""


def finding(row: tuple[Any, ...], plain: bool) -> str:
    rule, severity, message, why, demonstration, fix = row
    where = "" if plain else " Not in the plain file: it is about the extension."
    shown = f"```postgresql\n{demonstration}\n```\n\nFix:\n\n```postgresql\n{fix}\n```\n"
    return f"### {rule}\n\n**{severity}**: {prose(message)}.{where}\n\n{prose(why)}\n\n{shown}"


def findings(connection: psycopg.Connection[Any]) -> str:
    rows = connection.execute(FINDINGS).fetchall()
    plain = (ROOT / "tenancy_lint.sql").read_text()
    listed = [(f"[{rule}](#{rule.lower()})", severity, message) for rule, severity, message, *_ in rows]
    parts = [MADE, "# Findings of the linter\n", FINDINGS_INTRO, table(["rule", "severity", "for example"], listed)]
    for letter, title in AREAS.items():
        parts += [f"## {title}\n", *(finding(row, f"'{row[0]}'" in plain) for row in rows if row[0][0] == letter)]
    return "\n".join(parts)


def pages(connection: psycopg.Connection[Any]) -> dict[str, str]:
    made = {"functions": functions, "tables": tables, "settings": settings, "errors": errors, "findings": findings}
    return {f"{name}.md": make(connection) for name, make in made.items()}


def main() -> None:
    with psycopg.connect("") as connection:
        for name, text in pages(connection).items():
            Path(sys.argv[1], name).write_text(text)


if __name__ == "__main__":
    main()
