"""### Keep house

1. **check_ledger** compares the tables with each other and with the ledger: every input has one disposition, the counts
   of every stage reconcile with the next.
2. **check_feeds** tells which sources do worse than they used to, before somebody misses them.
3. **sweep_leftovers** removes what crashes left beside archive and slices.
4. **expire_documents** removes bytes older than the setting `keep.raw_days`; nothing where that is not set.
5. **forget_alerts** drops from the outbox what was sent long ago; the table `alerts` keeps the record.
6. **write_checks_site** writes the outcome of the newest checks as a site (setting `checks_site`).

* **Runs** every night.
* **Form**: *dry run* says how many documents would go, and removes none.
* **When it fails** at check_ledger, the notice says what does not agree: nothing is removed until it does.
  `blotter state rebuild` makes the ledger what the tables say. Else mend what the error names and clear the task.
"""

from airflow.sdk import CronTriggerTimetable, Param, dag, task

from blotter_airflow.wiring import DEFAULT_ARGS, UPKEEP, expect_within, explain, failing_for_good


@dag(
    schedule=CronTriggerTimetable("30 3 * * *", timezone="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args={**DEFAULT_ARGS, "priority_weight": UPKEEP},
    deadline=expect_within("upkeep", next_step="see which task is still at it; a long archive takes its time"),
    tags=["blotter", "upkeep"],
    doc_md=__doc__,
    params={
        "dry_run": Param(False, type="boolean", title="Dry run", description="Say what would go; remove no document.")
    },
)
def maintain() -> None:
    """Wire the tasks."""

    @task(
        doc_md=explain(
            "Compare the tables with each other and with the ledger; fails where they do not agree.",
            if_it_fails="read in the error what does not agree; `blotter runs` shows the runs, `blotter state rebuild` "
            "makes the ledger what the tables say. Then clear the task: the rest of the upkeep waits for it.",
        )
    )
    def check_ledger() -> str:
        from airflow.sdk.exceptions import AirflowFailException

        from blotter.accounting import find_imbalances
        from blotter.config import load_settings
        from blotter.steps import create_stores

        with failing_for_good():
            settings = load_settings()
            create_stores(settings)  # nothing was published on a new installation's first night, which is no fault
            found = find_imbalances(settings)
        if found:
            raise AirflowFailException("; ".join(found))
        return "the books balance"

    @task(
        doc_md=explain(
            "Tell in the log which sources do worse than they used to; returns how many.",
            if_it_fails="mend what the error names (a source's file) and clear the task.",
        )
    )
    def check_feeds() -> int:
        import logging

        from blotter.config import load_settings
        from blotter.oncall import find_troubled_feeds

        with failing_for_good():
            troubled = find_troubled_feeds(load_settings())
        for feed in troubled:
            logging.getLogger(__name__).warning("%s %s: %s", feed.source_id, feed.url or "", feed.fault)
        return len(troubled)

    @task(
        doc_md=explain(
            "Remove the unfinished files that crashes left, a day after they were last written to; returns counts.",
            if_it_fails="mend what the error names (a folder that cannot be written) and clear the task.",
        )
    )
    def sweep_leftovers() -> dict[str, int]:
        from blotter import maintenance
        from blotter.config import load_settings

        return maintenance.sweep_leftovers(load_settings())

    @task(
        doc_md=explain(
            "Remove the bytes of documents that are older than `keep.raw_days`; returns counts.",
            if_it_fails="what was removed is removed, the rest stays: mend what the error names and clear the task.",
        )
    )
    def expire_documents(params: dict) -> dict[str, int]:
        from blotter import maintenance
        from blotter.config import load_settings

        return maintenance.expire_documents(load_settings(), is_dry_run=params["dry_run"])

    @task(
        doc_md=explain(
            "Drop from the outbox what was sent three months ago and before; returns how many messages.",
            if_it_fails="mend what the error names (the state's database) and clear the task.",
        )
    )
    def forget_alerts() -> int:
        from blotter.config import load_settings
        from blotter.oncall import forget_sent_alerts

        return forget_sent_alerts(load_settings())

    @task(
        doc_md=explain(
            "Write the outcome of the newest checks as a site; returns its first page.",
            if_it_fails="mend what the error names (the folder of the setting `checks_site`) and clear the task.",
        )
    )
    def write_checks_site() -> str | None:
        from blotter import maintenance
        from blotter.config import load_settings

        page = maintenance.write_checks_site(load_settings())
        return str(page) if page else None

    # Nothing is removed while the books do not balance.
    checked, swept = check_ledger(), sweep_leftovers()
    checked >> [check_feeds(), write_checks_site(), swept]
    swept >> expire_documents() >> forget_alerts()


maintain()
