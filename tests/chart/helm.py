"""Helm's own engine, for tests/chart and tests/kubernetes: prints JSON.

    helm.py lint                   {"errors": [...]}
    helm.py render [VALUES.yaml]   {"templates/service.yaml": "...", ...}; or {"refused": "why"}
    helm.py objects [VALUES.yaml]  [{"kind": "Service", ...}, ...]
    helm.py defaults               the chart's own values

Values come from a file, or as YAML from standard input when the file is `-`.
"""

import json
import re
import sys

import helm_python

CHART = "charts/punctual"


def render(values):
    with helm_python.Chart.load(CHART) as chart:
        try:
            rendered = chart.render(values, name="punctual", namespace="punctual-system")
        except helm_python.HelmError as error:
            return {"refused": str(error)}
    return {name.removeprefix("punctual/"): text for name, text in rendered.items() if text.strip()}


def objects(values):
    texts = [text for name, text in render(values).items() if not name.endswith("NOTES.txt")]
    documents = [document for text in texts for document in re.split(r"^---$", text, flags=re.MULTILINE)]
    return [parsed for parsed in map(helm_python.values_from_yaml, documents) if parsed]


def main(command, file=None):
    if command == "lint":
        report = helm_python.lint(CHART)
        return {"errors": report["errors"] + [m for m in report["messages"] if m["severity"] >= 2]}
    if command == "defaults":
        return helm_python.values_from_yaml(open(f"{CHART}/values.yaml").read())
    text = "" if file is None else sys.stdin.read() if file == "-" else open(file).read()
    return {"render": render, "objects": objects}[command](helm_python.values_from_yaml(text) if text.strip() else {})


print(json.dumps(main(*sys.argv[1:])))
