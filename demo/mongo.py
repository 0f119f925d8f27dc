"""A small shell for MongoDB, as there is no mongosh in Debian: what the demo uses of mongosh's words.

    use NAME, show dbs, show collections, db.COLLECTION.find({...}).sort({...}).limit(N), ...

The server is that of DEMO_MONGODB_URI. A statement ends where its brackets are closed; documents are
printed one a line. `--after WORD` prints "WORD CODE ROWS" after each statement: ok or the number of
the error, and how many documents there were.
"""

import argparse
import code
import os
import re
import readline  # noqa: F401 - input() edits lines with it
import sys
from datetime import UTC, datetime
from typing import Any

from bson import ObjectId
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

# A string, or a word and the colon that makes it the key of a document.
TOKEN = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|([$A-Za-z_][\w$]*)(\s*:)""")
BRACKETS = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|([(\[{])|([)\]}])""")
WORDS = {"true": True, "false": False, "null": None, "ObjectId": ObjectId, "ISODate": datetime.fromisoformat}


class Cursor:
    """The documents of a query, which the shell prints one a line."""

    def __init__(self, cursor: Any) -> None:
        self.cursor = cursor

    def sort(self, keys: dict[str, int]) -> "Cursor":
        return Cursor(self.cursor.sort(list(keys.items())))

    def limit(self, most: int) -> "Cursor":
        return Cursor(self.cursor.limit(most))

    def __iter__(self) -> Any:
        return iter(self.cursor)


class Collection:
    def __init__(self, collection: Any) -> None:
        self.collection = collection

    def find(self, query: Any = None, projection: Any = None) -> Cursor:
        return Cursor(self.collection.find(query or {}, projection))

    def aggregate(self, pipeline: list[Any]) -> Cursor:
        return Cursor(self.collection.aggregate(pipeline))

    def countDocuments(self, query: Any = None) -> int:  # noqa: N802
        return self.collection.count_documents(query or {})

    def getIndexes(self) -> Cursor:  # noqa: N802
        return Cursor(self.collection.list_indexes())

    def insertOne(self, document: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"acknowledged": True, "insertedId": self.collection.insert_one(document).inserted_id}

    def insertMany(self, documents: list[Any]) -> dict[str, Any]:  # noqa: N802
        return {"acknowledged": True, "inserted": len(self.collection.insert_many(documents).inserted_ids)}


class Database:
    def __init__(self, client: Any, name: str) -> None:
        self.client, self.name = client, name

    def __getattr__(self, name: str) -> Collection:
        return Collection(self.client[self.name][name])

    def getSiblingDB(self, name: str) -> "Database":  # noqa: N802
        return Database(self.client, name)

    def getCollectionNames(self) -> list[str]:  # noqa: N802
        return sorted(self.client[self.name].list_collection_names())

    def getCollectionInfos(self, query: Any = None) -> Cursor:  # noqa: N802
        return Cursor(self.client[self.name].list_collections(filter=query or {}))

    def runCommand(self, command: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        answer = dict(self.client[self.name].command(command))
        return {key: value for key, value in answer.items() if key not in ("$clusterTime", "operationTime")}

    def createUser(self, user: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        name = user.pop("user")
        return dict(self.client[self.name].command("createUser", name, **user))


class Shell:
    def __init__(self, client: Any, after: str | None) -> None:
        self.client, self.after = client, after
        self.db = Database(client, "test")

    def run(self, statement: str) -> None:
        """Runs one statement, and prints its answer or its error."""
        outcome, rows = "ok", 0
        try:
            rows = self.print(self.evaluate(statement.strip().rstrip(";")))
        except OperationFailure as error:
            outcome = str(error.code)
            print(f"MongoServerError[{error.code}]: {message(error)}")
        except PyMongoError as error:
            outcome = type(error).__name__
            print(f"MongoNetworkError: {str(error).split(',')[0]}")
        except Exception as error:  # noqa: BLE001 - what was typed is no statement
            outcome = "syntax"
            print(f"{type(error).__name__}: {error}")
        if self.after:
            print(self.after, outcome, rows)
        sys.stdout.flush()

    def evaluate(self, statement: str) -> Any:
        words = statement.split()
        if words[0] == "use":
            self.db = Database(self.client, words[1])
            return f"switched to db {words[1]}"
        if words == ["show", "dbs"]:
            return Cursor(sorted(self.client.list_database_names()))
        if words == ["show", "collections"]:
            return Cursor(self.db.getCollectionNames())
        names = WORDS | {"db": self.db, "__builtins__": {}}
        return eval(TOKEN.sub(quote_key, statement), names)  # noqa: S307 - a shell runs what is typed

    def print(self, answer: Any) -> int:
        if not isinstance(answer, Cursor):
            print(answer if isinstance(answer, str) else shown(answer))
            return 1
        rows = 0
        for rows, document in enumerate(answer, 1):
            print(document if isinstance(document, str) else shown(document))
        return rows


def quote_key(token: re.Match[str]) -> str:
    return token[1] or f'"{token[2]}":'


def message(error: OperationFailure) -> str:
    return str((error.details or {}).get("errmsg") or error).split(", full error")[0]


def shown(value: Any) -> str:
    """A value in mongosh's notation, on one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key}: {shown(item)}" for key, item in value.items()) + " }" if value else "{}"
    if isinstance(value, list):
        return "[ " + ", ".join(map(shown, value)) + " ]" if value else "[]"
    if isinstance(value, datetime):
        return f"ISODate('{value.astimezone(UTC).isoformat(timespec='seconds')}')"
    if isinstance(value, ObjectId):
        return f"ObjectId('{value}')"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return "'" + value.replace("'", "\\'") + "'" if isinstance(value, str) else str(value)


def is_whole(statement: str) -> bool:
    """Whether the brackets that were opened are closed."""
    depth = 0
    for _, opening, closing in BRACKETS.findall(statement):
        depth += bool(opening) - bool(closing)
    return depth <= 0


class Console(code.InteractiveConsole):
    """Reads statements from a terminal, with its line editing, or from a pipe."""

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self.shell = shell

    def runsource(self, source: str, filename: str = "", symbol: str = "") -> bool:
        if not is_whole(source):
            return True
        if source.strip():
            self.shell.run(source)
        return False

    def raw_input(self, prompt: str = "") -> str:
        if not sys.stdin.isatty():
            prompt = ""
        return super().raw_input(prompt and f"{self.shell.db.name}> ")


def main() -> None:
    parser = argparse.ArgumentParser(description="A small shell for the demo's MongoDB.")
    parser.add_argument("--after", metavar="WORD", help="print this, the outcome and the rows after each statement")
    arguments = parser.parse_args()
    uri = os.environ.get("DEMO_MONGODB_URI")
    if not uri:
        sys.exit("mongo.py: DEMO_MONGODB_URI is not set; the demo's last lines tell how to connect")
    client: MongoClient[Any] = MongoClient(uri, serverSelectionTimeoutMS=3000, tz_aware=True)
    Console(Shell(client, arguments.after)).interact(banner="", exitmsg="")


main()
