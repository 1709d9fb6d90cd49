#!/usr/bin/env python3
"""Draws what a decision of the scheduler costs from the results of `make check-schedule`."""

import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "schedule"  # the same results give the same file
import matplotlib.pyplot as plt

results, target = sys.argv[1:]
series = {"queue": [], "cpus": []}
for line in open(results):
    if line.startswith("plot "):
        name, *values = line.split()[1:]
        series[name].append([float(v) for v in values])

figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), sharey=True)
titles = {"queue": ("one CPU", "vCPUs that share it"), "cpus": ("eight vCPUs for each CPU", "CPUs")}
for axis, (name, rows) in zip(axes, series.items()):
    xs, decision, worst, wake, worst_wake = zip(*rows)
    axis.plot(xs, decision, "o-", label="decision, mean")
    axis.plot(xs, worst, "o:", label="decision, worst")
    axis.plot(xs, wake, "s-", label="wake-up, mean")
    axis.plot(xs, worst_wake, "s:", label="wake-up, worst")
    axis.set_xscale("log", base=2)
    axis.set_title(titles[name][0])
    axis.set_xlabel(titles[name][1])
    axis.set_ylim(bottom=0)
    axis.grid(alpha=0.3)
axes[0].set_ylabel("basic blocks executed")
axes[1].legend(fontsize="small")
figure.tight_layout()
figure.savefig(target, metadata={"Date": None})
