"""Reads JUnit XML and Prometheus text with the parsers that others use; JSON in, JSON out.

stdin: {"form": "junit" | "prometheus", "text": …}. Nothing of what is right is decided here.
"""
import json
import sys
import xml.etree.ElementTree as ElementTree

request = json.load(sys.stdin)


def element(node):
    return {
        "tag": node.tag,
        "attributes": dict(node.attrib),
        "text": node.text or "",
        "children": [element(child) for child in node],
    }


if request["form"] == "junit":
    answer = element(ElementTree.fromstring(request["text"].encode("utf-8")))
else:
    from prometheus_client.parser import text_string_to_metric_families

    answer = [
        {
            "name": family.name,
            "type": family.type,
            "help": family.documentation,
            "samples": [
                {"name": sample.name, "labels": sample.labels, "value": sample.value, "timestamp": sample.timestamp}
                for sample in family.samples
            ],
        }
        for family in text_string_to_metric_families(request["text"])
    ]
json.dump(answer, sys.stdout)
