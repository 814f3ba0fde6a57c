"""What blotter costs above the bare libraries: reading over tokenizing, a run over trafilatura.

Every figure is a ratio of CPU seconds measured in one run of this file; absolute times say more about the machine.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "demo"))

from pages import write_pages


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=300)
    n_pages = parser.parse_args().pages
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        pages = write_pages(folder / "pages", n_pages)
        # Airflow reads its environment on import, so it is set before anything else is imported.
        from environment import make_environment

        os.environ.update(make_environment(folder / "airflow", seeds_port=9))
        os.environ["BLOTTER_INBOX"] = str(folder / "inbox")
        measure_run(folder, pages)


def cpu_s(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def measure_run(folder: Path, pages: list[Path]) -> None:
    """A whole run, from HTML to tables with every check, over bare trafilatura on the same bytes."""
    import trafilatura

    from blotter.config import load_settings
    from blotter.replay import replay_documents, settings_for_replay

    write_pages(folder / "few", 3)
    replay_documents(settings_for_replay(load_settings(environ={}), folder / "warm"), [folder / "few"], by_day=False)
    settings = settings_for_replay(load_settings(environ={}), folder / "run")
    payloads = [page.read_bytes() for page in pages]
    bare = cpu_s(lambda: [trafilatura.bare_extraction(payload, with_metadata=True) for payload in payloads])
    whole = cpu_s(lambda: replay_documents(settings, [folder / "pages"], by_day=False))
    print(f"end to end: {whole / bare:.2f} times bare trafilatura ({len(pages)} pages, HTML to checked tables)")


if __name__ == "__main__":
    main()
