"""What a second worker brings: a batch of 2,000 articles through the services of docker-compose.yaml, with one Celery
worker and with two, each reading one slice at a time. Needs PostgreSQL and Redis; says so where they are missing.

Throughput is of the reading, from the first slice's start to the last one's end; the whole run is told besides: linking
and publishing stay one writer's. Two cores carry Airflow's own services too. Goal: at least 1.6 times.
"""

import argparse
import shutil
import sys
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "demo"))

from environment import REPOSITORY
from news import write_news
from run_cluster import Api
from topology import run_cluster

SLICE = 100


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--articles", type=int, default=2_000)
    n_articles = parser.parse_args().articles
    if missing := [name for name in ("postgres", "initdb", "redis-server") if shutil.which(name) is None]:
        print(f"two workers against one: not measured, {', '.join(missing)} not installed")
        return 0
    reading, whole = zip(*(measure(n_workers, n_articles) for n_workers in (1, 2)), strict=True)
    print(
        f"two workers against one: {reading[0] / reading[1]:.2f} times the throughput of reading {n_articles:,} pages "
        f"({reading[0]:.0f} s, {reading[1]:.0f} s; must 1.6), {whole[0] / whole[1]:.2f} times that of the whole run "
        f"({whole[0]:.0f} s, {whole[1]:.0f} s)"
    )
    return 0


def measure(n_workers: int, n_articles: int) -> tuple[float, float]:
    """Read and publish a batch; returns the seconds of the reading and of the whole build."""
    extra = {"BLOTTER_DROPS__SETTLE_S": "0", "BLOTTER_READ__SLICE_SIZE": str(SLICE)}
    home = REPOSITORY / ".cluster" / f"bench-{n_workers}"
    with run_cluster(home, extra, n_workers=n_workers, concurrency=1) as cluster:
        api = Api(cluster)
        write_news(cluster.data / "inbox" / "bench" / "few.jsonl", 2 * SLICE, seed=2)
        for dag_id in ("ingest_drops", "build_incidents"):  # every worker has everything imported
            api.run(dag_id)
        write_news(cluster.data / "inbox" / "bench" / "news.jsonl", n_articles)
        api.run("ingest_drops")
        run_id = api.run("build_incidents")
        tasks = api.list_tasks("build_incidents", run_id)
    spans = {
        name: [(_at(task["start_date"]), _at(task["end_date"])) for task in tasks if task["task_id"] == name]
        for name in ("read_slice", "publish_batch")
    }
    started = min(start for start, _ in spans["read_slice"])
    return (
        (max(end for _, end in spans["read_slice"]) - started).total_seconds(),
        (spans["publish_batch"][0][1] - started).total_seconds(),
    )


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


if __name__ == "__main__":
    sys.exit(main())
