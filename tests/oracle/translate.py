"""Policies as a model of OpenFGA, and rows and people as its tuples.

Written from docs/policies.md and the documentation of `derive(AuthModel)`. The engine joins, compares and follows; what is
decided here is no more than how a value is written: which text an id is, and which time a text of SQLite's is.

A row is an object of its table's type. A column that a rule compares is a relation from the row to the object of its value,
which has the people whose id, or whose account's id, it is. A relation of the policy is one between rows. What a rule about a
related row says is a permission of that row. Nothing is a permission of a row that is not there.
"""

import uuid
from datetime import datetime, timedelta, timezone

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

# Times of rows are compared with the time of the decision, which the engine is told with each question.
CONDITIONS = {
    "is_to_come": "condition is_to_come(now: timestamp, time: timestamp) {\n  now < time\n}",
    "has_come": "condition has_come(now: timestamp, time: timestamp) {\n  time <= now\n}",
}


class Store:
    """A model with its tuples."""

    def __init__(self):
        self.types = {}
        self.tuples = {}
        self.conditions = set()

    def define(self, type_, relation, definition):
        self.types.setdefault(type_, {})[relation] = definition

    def add(self, user, relation, object_, condition=None, time=None):
        tuple_ = {"user": user, "relation": relation, "object": object_}
        if condition is not None:
            tuple_["condition"] = {"name": condition, "context": {"time": written_time(time)}}
        # The engine takes no tuple twice.
        self.tuples[user, relation, object_] = tuple_

    def model(self):
        lines = ["model", "  schema 1.1"]
        for type_, relations in self.types.items():
            lines.append(f"type {type_}")
            if relations:
                lines.append("  relations")
            lines += [f"    define {relation}: {definition}" for relation, definition in relations.items()]
        lines += [CONDITIONS[name] for name in sorted(self.conditions)]
        return "\n".join(lines) + "\n"


class Translation:
    """What the engine knows about one case."""

    def __init__(self, tables, case):
        self.tables, self.case = tables, case
        self.store = Store()
        self.store.types["user"] = {}
        self.sets = []
        self.auxiliary = {}
        self.columns, self.relations = set(), set()
        self.people()
        for table in range(len(tables)):
            self.policy(table)
        for table in range(len(tables)):
            self.rows(table)
        self.values()

    # People.

    def people(self):
        """The one object `system:all` has what no row is needed for."""
        for person in range(len(self.case["people"])):
            user = f"user:{person}"
            self.of_system("logged_in", user)
            data = self.case["people"][person]
            for role in data["roles"]:
                self.of_system(f"role_{hexed(role)}", user)
            if data["account"] is not None:
                # An account for each person: two that were drawn may have one id, and different roles.
                self.store.define("account", "member", "[user]")
                self.store.add(user, "member", f"account:{person}")
                for role in data["account_roles"]:
                    self.store.add(f"account:{person}#member", self.account_role(role), "system:all")
            for permission in data["permissions"]:
                self.of_system(f"carries_{hexed(permission)}", user)
            for kind in ("admin", "reader"):
                if data[kind] is not None:
                    self.of_system(f"{kind}_by_{hexed(data[kind])}", user)
        self.store.define("system", "everyone", "[user:*]")
        self.store.define("system", "nobody", "[user]")
        self.store.add("user:*", "everyone", "system:all")
        for kind in ("admin", "reader"):
            roles = {data[kind] for data in self.case["people"] if data[kind] is not None}
            waived = [f"({kind}_by_{hexed(role)} and {self.role(role)})" for role in sorted(roles)]
            self.store.define("system", kind, " or ".join(waived) or "nobody")

    def of_system(self, relation, user):
        self.store.define("system", relation, "[user]")
        self.store.add(user, relation, "system:all")

    def role(self, name):
        self.store.define("system", f"role_{hexed(name)}", "[user]")
        return f"role_{hexed(name)}"

    def account_role(self, name):
        self.store.define("account", "member", "[user]")
        self.store.define("system", f"account_role_{hexed(name)}", "[account#member]")
        return f"account_role_{hexed(name)}"

    # Policies.

    def policy(self, table):
        name = self.tables[table]["name"]
        self.store.define(name, "system", "[system]")
        there = self.case["there"][table]
        self.store.define(name, "there", "everyone from system" if there is None else self.rule(there, table))
        for permission, rules in enumerate(self.case["granting"][table]):
            granted = any_of([self.rule(rule, table) for rule in rules])
            self.store.define(name, f"may_{permission}", present(granted))
            # The waiver is about the row itself, not about the rows on whose permissions its own depend.
            waiver = "admin from system" + (" or reader from system" if permission == 0 else "")
            self.store.define(name, f"decided_{permission}", f"may_{permission} or (there and ({waiver}))")

    def rule(self, rule, table):
        """The definition of a relation of a row, which may stand in another one."""
        match rule:
            case ["everyone"]:
                return "everyone from system"
            case ["every_logged_in_user"]:
                return "logged_in from system"
            case ["user", column]:
                return f"holder from {self.column(table, column)}"
            case ["account", column]:
                return f"member from {self.column(table, column)}"
            case ["role", role]:
                return f"{self.role(role)} from system"
            case ["account_role", role]:
                return f"{self.account_role(role)} from system"
            case ["permission", permission]:
                self.store.define("system", f"carries_{hexed(permission)}", "[user]")
                return f"carries_{hexed(permission)} from system"
            case ["is", column, values]:
                values = sorted(map(tuple, values))
                if values not in self.sets:
                    self.sets.append(values)
                return f"is_{self.sets.index(values)} from {self.column(table, column)}"
            case ["is_null" | "flag" | "until" | "since" as what, column]:
                return self.fact(table, what, column)
            case ["related", relation, ["granted", permission]]:
                return f"may_{permission} from {self.relation(table, relation)}"
            case ["related", relation, of]:
                related = self.tables[table]["relations"][relation]["table"]
                return f"{self.permission_of(related, of)} from {self.relation(table, relation)}"
            case ["granted", permission]:
                return f"may_{permission}"
            case ["any", rules]:
                return any_of([self.rule(rule, table) for rule in rules])
            case ["all", rules]:
                return all_of([self.rule(rule, table) for rule in rules])
        raise ValueError(f"no rule: {rule}")

    def permission_of(self, table, rule):
        """A permission for the rule of a relation, all of which one row has to meet."""
        definition = present(self.rule(rule, table))
        of = self.auxiliary.setdefault((table, definition), f"of_relation_{len(self.auxiliary)}")
        self.store.define(self.tables[table]["name"], of, definition)
        return of

    def column(self, table, column):
        self.columns.add((table, column))
        self.store.define(self.tables[table]["name"], f"column_{column}", "[value]")
        return f"column_{column}"

    def relation(self, table, relation):
        self.relations.add((table, relation))
        data = self.tables[table]["relations"][relation]
        name = f"related_{relation}"
        self.store.define(self.tables[table]["name"], name, f"[{self.tables[data['table']]['name']}]")
        return name

    def fact(self, table, what, column):
        """A term that is about the row and the time, whoever the subject is."""
        condition = {"until": "is_to_come", "since": "has_come"}.get(what)
        users = {"until": f"[user:*, user:* with {condition}]", "since": f"[user:* with {condition}]"}.get(what, "[user:*]")
        if condition is not None:
            self.store.conditions.add(condition)
        name = self.tables[table]["name"]
        self.store.define(name, f"{what}_{column}", users)
        for number, row in enumerate(self.case["rows"][table]):
            match what, row[column]:
                case ("is_null" | "until", None):
                    self.store.add("user:*", f"{what}_{column}", f"{name}:{number}")
                case ("flag", ["flag", True]):
                    self.store.add("user:*", f"{what}_{column}", f"{name}:{number}")
                case ("until" | "since", ["time", text]) if (time := time_of(text)) is not None:
                    self.store.add("user:*", f"{what}_{column}", f"{name}:{number}", condition, time)
        return f"{what}_{column}"

    # Rows.

    def rows(self, table):
        name = self.tables[table]["name"]
        for number, row in enumerate(self.case["rows"][table]):
            self.store.add("system:all", "system", f"{name}:{number}")
            for column, value in enumerate(row):
                if (table, column) in self.columns and value is not None:
                    self.store.add(f"value:{value_id(value)}", f"column_{column}", f"{name}:{number}")
            for relation, data in enumerate(self.tables[table]["relations"]):
                if (table, relation) not in self.relations or row[data["own"]] is None:
                    continue
                related = self.tables[data["table"]]["name"]
                for other, cells in enumerate(self.case["rows"][data["table"]]):
                    if cells[data["related"]] == row[data["own"]]:
                        self.store.add(f"{related}:{other}", f"related_{relation}", f"{name}:{number}")

    def values(self):
        if not self.columns:
            return
        self.store.define("value", "holder", "[user]")
        self.store.define("value", "member", "[user]")
        values = {}
        for table, column in self.columns:
            for row in self.case["rows"][table]:
                if row[column] is not None:
                    values[value_id(row[column])] = row[column]
        for id_, value in values.items():
            for person, data in enumerate(self.case["people"]):
                if is_id(value, data["id"]):
                    self.store.add(f"user:{person}", "holder", f"value:{id_}")
                if is_id(value, data["account"]):
                    self.store.add(f"user:{person}", "member", f"value:{id_}")
        for number, named in enumerate(self.sets):
            self.store.define("value", f"is_{number}", "[user:*]")
            for value in named:
                if value_id(value) in values:
                    self.store.add("user:*", f"is_{number}", f"value:{value_id(value)}")


def any_of(definitions):
    """Of nothing, it matches no subject."""
    return " or ".join(grouped(definitions)) or "nobody from system"


def all_of(definitions):
    """Of nothing, it matches no subject either."""
    return " and ".join(grouped(definitions)) or "nobody from system"


def grouped(definitions):
    if len(definitions) == 1:
        return definitions
    return [f"({definition})" if " and " in definition or " or " in definition else definition for definition in definitions]


def present(definition):
    """Of a row that is there. The engine refuses a permission that nothing but the same one of another row grants, so each
    has another alternative, which grants nothing."""
    return f"(there and ({definition})) or nobody from system"


def hexed(text):
    """Names and ids of any letters, as the engine takes them."""
    return text.encode().hex()


def value_id(value):
    kind, content = value
    match kind:
        case "integer" | "text":
            return f"{kind}_{hexed(content)}"
        case "bytes":
            return f"bytes_{bytes(content).hex()}"
        case "flag":
            return f"flag_{content}".lower()
    raise ValueError(f"nothing is compared with {value}")


def is_id(value, id_):
    """Whether a column with this value has this id: a text to the letter, a UUID in each of its texts. An empty one is
    nobody's."""
    if not id_:
        return False
    kind, content = value
    match kind:
        case "integer" | "text":
            return content == id_
        case "bytes":
            try:
                return uuid.UUID(id_).bytes == bytes(content)
            except ValueError:
                return False
    return False


def time_of(text):
    """The time that a text is, as UTC if it says nothing else, or nothing."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo is not None else time.replace(tzinfo=timezone.utc)


def written_time(time):
    return time.astimezone(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")


def now_of(person):
    return written_time(EPOCH + timedelta(microseconds=person["now"]))
