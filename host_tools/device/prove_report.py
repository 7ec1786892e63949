"""The report of `device prove`: each figure beside what the chip file says; as text, JSON and one page of HTML.

It is made of numbers and of words of this file alone, so that no name, key, address or serial number can be in it.
"""

import html

from host_tools.device import chips

BINS = 20
LEGEND = (
    ("within", "no value is worse than the worst one that the project reckons with"),
    ("outside", "at least one value is worse than that"),
    ("unknown", "there is nothing to compare it with yet"),
    ("worst", "the worst value that the project reckons with; beside it stands where it comes from"),
    ("heap", "the memory in which MicroPython keeps what a program makes"),
    ("IDF", "ESP-IDF, the chip's own system under MicroPython: radio and encryption live from its memory"),
    ("us", "microseconds, millionths of a second"),
)
UNREAL = "This is a virtual chip: its times are those of a PC, and nothing here is proof of a board."
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2430}"
    "table{border-collapse:collapse;width:100%}"
    "td,th{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #d8dde4}"
    "td:first-child{min-width:15rem}td.n{text-align:right;font-variant-numeric:tabular-nums}.within{color:#17663a}.outside{color:#a3161f;font-weight:600}"
    ".unknown{color:#5b6573}figure{display:inline-block;margin:.5rem 1.5rem 1rem 0}figcaption{font-size:.9rem}"
    "rect{fill:#3567a8}svg{background:#f3f5f8}text{font-size:11px;fill:#1c2430}"
)


def figure(name, unit, values, limit=(None, ""), is_floor=False):
    """One row: name, unit, its values, (the worst that may be or None, where that stands); is_floor: less is worse."""
    worst, source = limit
    greatest = max(values)
    is_good = worst is not None and (min(values) >= worst if is_floor else greatest <= worst)
    verdict = "unknown" if worst is None else "within" if is_good else "outside"
    middle = sorted(values)[len(values) // 2]
    made = {"name": name, "unit": unit, "count": len(values), "least": min(values), "middle": middle}
    return {**made, "greatest": greatest, "worst": worst, "source": source, "verdict": verdict, "values": list(values)}


def limit(chip, *paths, add=None):
    """(the chip file's worst of the sum of some paths, what it stands on); add: [(times, path), …] besides."""
    parts = [(1, path) for path in paths] + list(add or ())
    section_kinds = {chip[path.split(".")[0]][path.split(".")[1]]["kind"] for _, path in parts}
    total = sum(times * chips.number(chip, path, "worst") for times, path in parts)
    return round(total), f"chip file, {' and '.join(sorted(section_kinds))}: " + " + ".join(
        (f"{times} x " if times != 1 else "") + path for times, path in parts
    )


def facts_of(report):
    """What was asked, in one line."""
    what = "virtual chip, stands for" if report["is_virtual"] else "chip"
    return (
        f"{what}: {report['chip']}, board: {report['board']}, firmware: {report['firmware']}, build_sha256: "
        f"{report['build_sha256']}, micropython: {report['micropython']}, last_start: {report['last_start']}, "
        f"date: {report['date']}"
    )


def code_of(report):
    """The exit code: 1 with a figure outside."""
    return 1 if any(row["verdict"] == "outside" for row in report["figures"]) else 0


def conclusion(report):
    """What it all means, in sentences."""
    counts = {
        name: sum(row["verdict"] == name for row in report["figures"]) for name in ("within", "outside", "unknown")
    }
    told = ", ".join(f"{name}: {count}" for name, count in counts.items())
    yield f"Figures {told}; exit code {code_of(report)}."
    if report["is_virtual"]:
        yield UNREAL
    if counts["outside"]:
        names = "; ".join(row["name"] for row in report["figures"] if row["verdict"] == "outside")
        yield (
            f"Outside: {names}. Run it once more while the PC does nothing else. What is outside again is worse on "
            "this board than the project reckons with: keep it off the mains, and report it with these files."
        )
    else:
        yield "Nothing that was measured speaks against this board. What was not asked is still to be proved."


def text(report):
    """The report for a terminal."""
    yield facts_of(report)
    yield f"{'figure':<52} {'least':>9} {'middle':>9} {'greatest':>9} {'worst':>9}       verdict"
    for row in report["figures"]:
        worst = "-" if row["worst"] is None else row["worst"]
        numbers = f"{row['least']:>9} {row['middle']:>9} {row['greatest']:>9} {worst:>9}"
        yield f"{row['name']:<52} {numbers} {row['unit']:<5} {row['verdict']}"
    for row in report["not_asked"]:
        yield f"not asked: {row['what']}: {row['why']}"
    for word, meaning in LEGEND:
        yield f"{word}: {meaning}"
    yield from conclusion(report)


def bars(row):
    """A histogram of a row's values, as SVG; "" where there are too few."""
    values = row["values"]
    if len(values) < 8:
        return ""
    low, high = min(values), max(values)
    step = max(1e-9, (high - low) / BINS)
    counts = [0] * BINS
    for value in values:
        counts[min(BINS - 1, int((value - low) / step))] += 1
    most = max(counts)
    made = "".join(
        f'<rect x="{10 + 15 * index}" y="{110 - 100 * count / most:.1f}" width="13" height="{100 * count / most:.1f}"/>'
        for index, count in enumerate(counts)
    )
    words = f"{html.escape(row['name'])}: {len(values)} values, most in one bar {most}"
    ends = f'<text x="10" y="126">{low}</text><text x="310" y="126" text-anchor="end">{high} {row["unit"]}</text>'
    picture = f'<svg role="img" aria-label="{words}" width="320" height="132">{made}{ends}</svg>'
    return f"<figure>{picture}<figcaption>{words}</figcaption></figure>"


def page(report):
    """One page of HTML that needs nothing else."""
    names = ("name", "least", "middle", "greatest", "worst", "unit", "verdict", "source")
    rows = ""
    for row in report["figures"]:
        cells = "".join(
            f'<td class="{"n" if name in names[1:5] else row["verdict"] if name == "verdict" else ""}">'
            f"{html.escape(str('' if row[name] is None else row[name]))}</td>"
            for name in names
        )
        rows += f"<tr>{cells}</tr>"
    head = "".join(f"<th>{name}</th>" for name in names)
    asked = "".join(f"<li>{html.escape(row['what'])}: {html.escape(row['why'])}</li>" for row in report["not_asked"])
    title = f"{'Virtual chip' if report['is_virtual'] else 'Board'} {report['board']}: what was measured on it"
    legend = "".join(f"<dt>{html.escape(word)}</dt><dd>{html.escape(meaning)}</dd>" for word, meaning in LEGEND)
    end = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in conclusion(report))
    top = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
    return (
        f"{top}<style>{STYLE}</style>"
        f"<h1>{html.escape(title)}</h1><p>{html.escape(facts_of(report))}.</p>"
        f"{end}<dl>{legend}</dl>"
        f"<table><tr>{head}</tr>{rows}</table><h2>How the values lie</h2>"
        f"{''.join(map(bars, report['figures']))}<h2>Not asked</h2><ul>{asked}</ul></html>\n"
    )
