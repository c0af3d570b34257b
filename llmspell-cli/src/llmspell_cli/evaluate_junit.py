"""JUnit XML of `llmspell evaluate`: a test case for each case of the suite."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from llmspell_cli.junit import xml_text

if TYPE_CHECKING:
    from llmspell_bridge.evaluation.results import CaseResult, Report


def evaluation_xml(report: Report) -> bytes:
    """The whole document. A case fails when one of its runs does."""
    top = ET.Element("testsuites", name="llmspell evaluate")
    failed = [one for one in report.cases if one.passes < len(one.attempts)]
    suite = ET.SubElement(
        top,
        "testsuite",
        name=xml_text(report.suite),
        tests=str(len(report.cases)),
        failures=str(len(failed)),
        errors="0",
        skipped="0",
        time=f"{report.ms / 1000:.3f}",
    )
    for one in report.cases:
        suite.append(_case(one, report))
    ET.indent(top)
    text: bytes = ET.tostring(top, encoding="utf-8", xml_declaration=True)
    return text


def _case(one: CaseResult, report: Report) -> ET.Element:
    seconds = f"{one.total('ms') / 1000:.3f}"
    names = {"name": xml_text(one.name), "classname": xml_text(report.suite), "time": seconds}
    case = ET.Element("testcase", names)
    properties = ET.SubElement(case, "properties")
    numbers = {"pass_rate": one.pass_rate, "tokens": one.total("tokens")}
    for name, value in numbers.items():
        ET.SubElement(properties, "property", name=name, value=f"{value:g}")
    if one.passes < len(one.attempts):
        reasons = [reason for attempt in one.attempts for reason in attempt.reasons]
        count = f"{len(one.attempts) - one.passes} of {len(one.attempts)} runs failed"
        message = xml_text(f"{count}: {reasons[0]}")
        failure = ET.SubElement(case, "failure", message=message, type="evaluation.failed")
        failure.text = xml_text("\n".join(reasons))
    return case
