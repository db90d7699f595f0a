"""What crosses a function's border has a type: no driver's record, and no dictionary that is no JSON.

A record knows its columns only while the program runs: who takes one depends on a statement elsewhere, and
no tool sees it break. So a record stays where its statement is. ``tx.fetch_as`` builds the type at once;
where a value is nested, or the columns are anybody's, a private helper beside the statement may take the
record and give the type. Nobody hands one on, and nobody returns one. (A function may read a record that it
fetched itself: nothing crosses a border there.)

``dict[str, Any]`` is what JSON looks like in Python, so a law about it would catch mostly JSON: what is
asked of it is that no such dictionary is made of a record.
"""

import ast
import re

import pytest
from tests.architecture.test_laws import FILES, functions, name_of, tree

RECORD = re.compile(r"\bRecord\b|\bRows\b")
# The way to the database itself, and what prints the catalogs, which nobody else reads.
THE_BORDER = ("core/database.py", "core/rows.py", "db/reference.py")
# Private helpers that make a type of the record of a statement beside them, and why fetch_as does not.
MAY_TAKE = {
    "auth/repository.py": {"_user", "_session"},  # a user within a session
    "core/invariants.py": {"_violations"},  # the columns are each invariant's own
    "core/queue/claims.py": {"came"},  # a row of a claim tells of the round beside what was claimed
    "core/queue/inbox.py": {"_event"},  # the same, and what is parsed of the event
    "core/queue/jobs.py": {"_job"},  # the same
    "core/queue/outbox.py": {"_delivery"},  # the same
    "core/queue/outbox_rows.py": {"_row"},  # reads the columns of a claim
    "billing/accounts.py": {"balance_at"},  # what a charge and a page know of a balance
    "billing/credits.py": {"_outcome", "_refusal", "_to_week", "_to_payg"},  # one per outcome
}
# Statements of charges, which take a row of several outcomes apart in ``billing/credits.py``.
MAY_RETURN = {
    "billing/repository.py": {
        *("reserve", "status_of", "lock_quota", "lock_live_parts", "add_payg", "credit_entry"),
        "abandoned",
    }
}
OTHERS = [path for path in FILES if name_of(path) not in THE_BORDER]


@pytest.mark.parametrize("path", OTHERS, ids=name_of)
def test_a_record_stays_where_its_statement_is(path) -> None:
    taking, returning = set(), set()
    for function in functions(path):
        of = function.args
        taken = [one.annotation for one in (*of.posonlyargs, *of.args, *of.kwonlyargs)]
        if any(one is not None and RECORD.search(ast.unparse(one)) for one in taken):
            taking.add(function.name)
        if function.returns is not None and RECORD.search(ast.unparse(function.returns)):
            returning.add(function.name)
    assert taking <= MAY_TAKE.get(name_of(path), set())
    assert returning <= MAY_RETURN.get(name_of(path), set())


@pytest.mark.parametrize("path", OTHERS, ids=name_of)
def test_no_type_keeps_a_record(path) -> None:
    kept = [
        f"{made.name}.{ast.unparse(field.target)}"
        for made in ast.walk(tree(path))
        if isinstance(made, ast.ClassDef)
        for field in made.body
        if isinstance(field, ast.AnnAssign) and RECORD.search(ast.unparse(field.annotation))
    ]
    assert kept == []


@pytest.mark.parametrize("path", OTHERS, ids=name_of)
def test_no_dictionary_of_a_record_is_handed_on(path) -> None:
    """``dict(row)`` returned, or passed to whoever."""
    made = [
        ast.unparse(call)
        for call in ast.walk(tree(path))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "dict"
        and [ast.unparse(one) for one in call.args] == ["row"]
    ]
    assert len(made) <= MADE.get(name_of(path), 0)


# Of figures alone, and what an invariant found, which is stored as JSON.
MADE = {
    "tryon/funnel.py": 1,
    "core/invariants.py": 1,
    "core/retention.py": 1,
    "billing/invariants.py": 1,
}
