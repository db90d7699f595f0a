"""Everybody talks at once, the platform misbehaves, and processes are killed in the middle of it."""

import os

import pytest
from tests.infra.stack import quick_folder, running_stack
from tests.trouble.storm import Plan, storm

CONVERSATIONS = int(os.environ.get("SELIFY_TROUBLE_CONVERSATIONS", "40"))


@pytest.mark.slow
@pytest.mark.timeout(2400)
async def test_a_storm_loses_nothing_and_charges_nothing_twice() -> None:
    plan = Plan(
        conversations=CONVERSATIONS,
        seed=7,
        spread=max(15, CONVERSATIONS / 5),
        patience=max(900, CONVERSATIONS * 3),
        kills={"worker 1": 2, "server": 2, "database": 2},
    )
    with quick_folder() as folder:
        async with running_stack(folder) as stack:
            report = await storm(stack, plan)
    assert report.verdict.faults == []
    assert report.kills.total() >= 5, "a victim that was down already was not killed again"
    assert report.deliveries["delivery attempts"] > report.deliveries["webhook deliveries"]
    assert report.deliveries["forged copies refused"] > 0
    assert report.deliveries["forged copies accepted"] == 0
    assert report.verdict.figures["pictures received"] >= CONVERSATIONS / 2
