"""Write the goldens: `make goldens`, or `python -m tests.golden.write [NAME ...]`.

For an article without claims.tsv, what the reader says is written as a first draft, for a person to read against the
article and to correct. For all others only known.txt is written: the differences that are left. A difference that was
not listed before is written only with --also-new: the list may only shrink.

The rule: an expectation changes only because the article says so. Each commit that changes a claims.tsv names the
reason.
"""

import argparse

from tests.golden.goldens import COLUMNS, FOLDER, diff_golden, list_goldens, list_lines, load_article, load_golden

from blotter.extract import Reader


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="folders; default: all")
    parser.add_argument("--also-new", action="store_true", help="list differences that were not listed before")
    told = parser.parse_args()
    reader = Reader()
    for folder in [FOLDER / name for name in told.names] or list_goldens():
        article = load_article(folder)
        reading = reader.read(article)
        claims = folder / "claims.tsv"
        if not claims.exists():
            rows = sorted(list_lines(reading, in_full=False))
            head = f"# {reading.kind}, {reading.notice}\n" + "\t".join(COLUMNS) + "\n"
            claims.write_text(head + "".join(f"{row}\n" for row in rows), encoding="utf-8")
            continue
        golden = load_golden(folder)
        differences = diff_golden(golden, reading)
        listed = [line for line in differences if told.also_new or line in golden.known]
        known = folder / "known.txt"
        if listed:
            known.write_text("".join(f"{line}\n" for line in listed), encoding="utf-8")
        else:
            known.unlink(missing_ok=True)
        if fresh := [line for line in differences if line not in listed]:
            print(f"{folder.name}: not listed before:", *fresh, sep="\n  ")  # noqa: T201


if __name__ == "__main__":
    main()
