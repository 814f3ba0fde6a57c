"""Pages for the benchmarks: the sample pages, repeated with a line of their own each, so that none repeats another."""

import json
from pathlib import Path

SEEDS = Path(__file__).parents[1] / "seeds" / "days"


def write_pages(folder: Path, n_pages: int) -> list[Path]:
    """Write `n_pages` HTML pages with sidecars into a folder; returns the pages."""
    samples = sorted(path for path in SEEDS.glob("*/www/**/*.html") if path.stat().st_size > 2_000)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for number in range(n_pages):
        sample = samples[number % len(samples)]
        html = sample.read_text(encoding="utf-8", errors="replace")
        own = f"<p>Case number {number} was assigned to the {number % 97}th desk.</p></body>"
        page = folder / f"page-{number:05d}.html"
        page.write_text(html.replace("</body>", own), encoding="utf-8")
        meta = {"url": f"http://www.bench.example/{number}", "published": sample.relative_to(SEEDS).parts[0]}
        page.with_name(page.stem + ".meta.json").write_text(json.dumps(meta), encoding="utf-8")
        written.append(page)
    return written
