"""Draws docs/performance.json, which benches/run has written, as docs/performance.svg.

    plot.py DOCS
"""

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "oss-callback", "font.size": 9, "svg.fonttype": "none"})
import matplotlib.pyplot as plot  # noqa: E402

# Workload, peer, column of the ratio, and what a reader is told of it.
ROWS = [
    ("W1", "oss2", "CPU, 1 GiB file, against oss2 (Python)"),
    ("W7", "libcurl", "time of a C program for one upload, against libcurl"),
    ("W4", "libcurl", "CPU, new TLS connection, against libcurl"),
    ("W3", "libcurl", "CPU, 1 KiB with a callback, against libcurl"),
    ("W2", "libcurl", "CPU, 1 GiB file over TLS, against libcurl"),
    ("W6", "libcurl", "CPU, 1 MiB from memory, against libcurl"),
    ("W1", "libcurl", "CPU, 1 GiB file, against libcurl"),
    ("W1", "sendfile", "CPU, 1 GiB file, against sendfile without CRC"),
    ("W5", "libcurl", "CPU, 1 GiB in parts, against libcurl"),
]

docs = Path(sys.argv[1])
ratios = json.loads((docs / "performance.json").read_text())
bars = []
for workload, peer, text in ROWS:
    of_row = [row for row in ratios if (row["workload"], row["peer"]) == (workload, peer)]
    # From Rust, where there are both.
    bars.append((text, min(of_row, key=lambda row: row["ours"] != "Rust")))

figure, axes = plot.subplots(figsize=(8, 3.2), layout="constrained")
for place, (text, row) in enumerate(reversed(bars)):
    slower = row["ratio"] > 1
    axes.barh(place, row["ratio"], color="#c8553d" if slower else "#2a7f62", height=0.7)
    axes.text(row["ratio"] + 0.02, place, f"{row['ratio']:.2f}", va="center")
axes.set_yticks(range(len(bars)), [text for text, _ in reversed(bars)])
axes.axvline(1, color="black", linewidth=0.8)
axes.text(1.01, len(bars) - 0.5, "theirs", va="bottom")
axes.set_xlim(0, 1.3)
axes.spines[["top", "right"]].set_visible(False)
figure.savefig(docs / "performance.svg", metadata={"Date": None})
