"""Has OpenFGA decide the cases of a file, and compares each decision with the library's.

usage: compare.py PROGRAM CASES FOLDER

PROGRAM is `fga`. FOLDER gets a file for each case, which `fga model test --tests` takes by itself.
"""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

from translate import Translation, now_of

# The engine is told to expect that nothing holds, and reports what differs: it never learns the library's decisions.
DIFFERS = re.compile(r"Check\(user=user:(\d+),relation=(\w+),object=(\w+):(\d+),.*\): expected=false, got=([^,\s]+)")
SUMMARY = re.compile(r"Checks (\d+)/(\d+) passing")

# Each of these has to be in a rule.
TERMS = [
    "everyone", "every_logged_in_user", "user", "account", "role", "account_role", "permission", "is_null", "flag", "is",
    "until", "since", "any", "all", "related", "granted", "recursion", "rows",
]

# Disagreements of a case that are printed.
MOST_PRINTED = 3


def main():
    program, cases, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    counts = Counter()
    with open(cases) as lines, ThreadPoolExecutor(os.cpu_count()) as threads:
        header = json.loads(next(lines))
        for of_case, printed in threads.map(lambda line: Case(header, json.loads(line)).compare(program, folder), lines):
            counts.update(of_case)
            print(*printed, sep="\n", end="\n" if printed else "")
    compared = sorted(name for name in counts if name.startswith("compared"))
    for name in ["cases", "policies", "tuples", "decisions", "allowed", "denied", "undecided", *compared, "disagreements"]:
        print(f"{name}: {counts[name]}")
    print("terms:", ", ".join(f"{term} {counts[f'term {term}']}" for term in TERMS))
    missing = [term for term in TERMS if not counts[f"term {term}"]]
    if counts["disagreements"]:
        sys.exit("the engine and the library disagree")
    if counts["undecided"]:
        sys.exit("the engine has no answer for some decisions")
    if not counts["allowed"] or not counts["denied"] or missing:
        sys.exit(f"too little was compared: {counts['allowed']} allowed, {counts['denied']} denied, no rule with {missing}")


class Case:
    def __init__(self, header, data):
        self.tables, self.permissions, self.data = header["tables"], header["permissions"], data
        self.counts, self.printed = Counter(), []

    def compare(self, program, folder):
        engine = Engine(program, folder, self.tables, self.data)
        self.counts.update(cases=1, tuples=engine.tuples)
        people, tables, permissions = (
            range(len(of)) for of in (self.data["people"], self.tables, self.permissions)
        )
        for person, table, permission in product(people, tables, permissions):
            for row in range(len(self.data["rows"][table])):
                self.compare_decision(engine, person, table, permission, row)
        for table, permission in product(tables, permissions):
            self.count_terms(table, permission)
        self.counts["term rows"] += sum(rule is not None for rule in self.data["there"])
        return self.counts, self.printed

    def compare_decision(self, engine, person, table, permission, row):
        decision, there = ((person, relation, table, row) for relation in (f"decided_{permission}", "there"))
        self.counts["decisions"] += 1
        if decision in engine.unanswered or there in engine.unanswered:
            self.counts["undecided"] += 1
            return
        allows = decision in engine.held
        self.counts["allowed" if allows else "denied"] += 1
        for form, decided in self.data["decided"].items():
            # An explanation is asked for without the rule that says which rows are there.
            if form == "explained" and there not in engine.held:
                continue
            self.counts[f"compared, {form}"] += 1
            if (row in decided[person][table][permission]) != allows:
                self.counts["disagreements"] += 1
                if self.counts["disagreements"] <= MOST_PRINTED:
                    self.print(form, person, table, permission, row, allows)

    def print(self, form, person, table, permission, row, allows):
        library, engine = ("denies", "allows") if allows else ("allows", "denies")
        columns = [column["name"] for column in self.tables[table]["columns"]]
        cells = zip(columns, self.data["rows"][table][row])
        there = self.data["there"][table]
        rules = [self.written(rule, table) for rule in self.data["granting"][table][permission]]
        self.printed += [
            f"DISAGREEMENT, seed {self.data['seed']}, case {self.data['case']}, {form}: the library {library} and the engine "
            f"{engine} {self.permissions[permission]} on row {row} of {self.tables[table]['name']}",
            f"  rules: {', '.join(rules)}",
            f"  rows: {'all' if there is None else self.written(there, table)}",
            f"  row: {', '.join(f'{name} {shown(cell)}' for name, cell in cells)}",
            f"  person: {json.dumps(self.data['people'][person])}",
        ]

    def written(self, rule, table):
        """A rule nearly as a declaration has it."""
        match rule:
            case ["any" | "all" as operator, rules]:
                operator = " | " if operator == "any" else " & "
                return f"({operator.join(self.written(rule, table) for rule in rules)})"
            case ["related", relation, of]:
                data = self.tables[table]["relations"][relation]
                written = self.written(of, data["table"])
                return f"any({data['name']}: {written})" if data["many"] else f"{data['name']}.{written}"
            case ["granted", permission]:
                return self.permissions[permission]
            case ["is", column, values]:
                values = ", ".join(map(shown, values))
                return f"is({self.tables[table]['columns'][column]['name']}, {values})"
            case [term, int(column)]:
                return f"{term}({self.tables[table]['columns'][column]['name']})"
            case [term, name]:
                return f"{term}({json.dumps(name)})"
            case [term]:
                return term

    def count_terms(self, table, permission):
        rules = self.data["granting"][table][permission]
        self.counts["policies"] += bool(rules)
        relations = enumerate(self.tables[table]["relations"])
        own = [["related", number, ["granted", permission]] for number, to in relations if to["table"] == table]
        self.counts.update(f"term {term}" for rule in rules for term in terms(rule, own))


class Engine:
    """What the engine says about a case."""

    def __init__(self, program, folder, tables, case):
        translation = Translation(tables, case)
        permissions = range(len(case["granting"][0]))
        relations = ["there"] + [f"decided_{permission}" for permission in permissions]
        checks = [
            {
                "user": f"user:{person}",
                "object": f"{table['name']}:{row}",
                "context": {"now": now_of(data)},
                "assertions": {relation: False for relation in relations},
            }
            for person, data in enumerate(case["people"])
            for table, rows in zip(tables, case["rows"])
            for row in range(len(rows))
        ]
        store = {
            "name": f"case {case['case']} of seed {case['seed']}",
            "model": translation.store.model(),
            "tuples": list(translation.store.tuples.values()),
            "tests": [{"name": "decisions", "check": checks}],
        }
        self.path = folder / f"case-{case['case']}.fga.yaml"
        self.path.write_text(json.dumps(store, indent=1))
        self.tuples = len(store["tuples"])
        # What holds, and what the engine has no answer for, as (person, relation, table, row).
        self.held, self.unanswered = set(), set()
        if checks:
            self.check(program, [table["name"] for table in tables], len(checks) * len(relations))

    def check(self, program, names, asked):
        run = subprocess.run([program, "model", "test", "--tests", self.path], capture_output=True, text=True)
        printed = run.stdout + run.stderr
        for person, relation, table, row, got in DIFFERS.findall(printed):
            answer = int(person), relation, names.index(table), int(row)
            (self.held if got == "true" else self.unanswered).add(answer)
        # As many as were asked, and as many that differ as were understood.
        summary = SUMMARY.findall(printed)
        if not summary or tuple(map(int, summary[-1])) != (asked - len(self.held) - len(self.unanswered), asked):
            sys.exit(f"{self.path}: the engine was asked {asked} times and said:\n{printed[-3000:]}")


def shown(value):
    match value:
        case None:
            return "null"
        case ["bytes", content]:
            return bytes(content).hex()
        case ["integer", content]:
            return content
        case [_, content]:
            return json.dumps(content)


def terms(rule, own):
    """The names of the terms and operators in a rule. `own` are the terms that name its own permission on a parent."""
    yield "recursion" if rule in own else rule[0]
    match rule:
        case ["any" | "all", rules]:
            yield from (term for rule in rules for term in terms(rule, own))
        case ["related", _, rule]:
            yield from terms(rule, [])


main()
