"""JUnit XML of `llmspell test`, as CI services read it: a test suite for each file."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from llmspell_bridge.spelltest.results import BROKEN, FAILED, NOT_RUN
from llmspell_cli.look import clean

if TYPE_CHECKING:
    from llmspell_bridge.spelltest.results import FileReport, TestResult
    from llmspell_core.errors import LLMSpellError

#: Characters that no XML may hold.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(reports: list[FileReport]) -> bytes:
    """The whole document."""
    top = ET.Element("testsuites", name="llmspell test")
    for report in reports:
        top.append(_suite(report))
    ET.indent(top)
    text: bytes = ET.tostring(top, encoding="utf-8", xml_declaration=True)
    return text


def _suite(report: FileReport) -> ET.Element:
    broken = int(report.error is not None)
    suite = ET.Element(
        "testsuite",
        name=xml_text(str(report.path)),
        tests=str(len(report.tests) + broken),
        failures=str(report.count(FAILED)),
        errors=str(report.count(BROKEN) + broken),
        skipped=str(report.count(NOT_RUN)),
        time=_seconds(report.duration_ms),
    )
    for one in report.tests:
        suite.append(_case(one, report))
    if report.error is not None:
        # Readers count cases: what broke the file outside of a test is one of its own.
        case = _element(suite, "testcase", name="(the file)", classname=_class(report))
        case.set("time", "0")
        _problem(case, "error", report.error)
    if report.printed:
        ET.SubElement(suite, "system-out").text = xml_text(clean(report.printed))
    return suite


def _case(one: TestResult, report: FileReport) -> ET.Element:
    case = ET.Element(
        "testcase",
        name=xml_text(one.name),
        classname=_class(report),
        file=xml_text(str(report.path)),
        time=_seconds(one.duration_ms),
    )
    if one.outcome == NOT_RUN:
        ET.SubElement(case, "skipped", message="not run: the file had ended")
    elif one.error is not None:
        _problem(case, "failure" if one.outcome == FAILED else "error", one.error)
    return case


def _problem(case: ET.Element, tag: str, error: LLMSpellError) -> None:
    found = ET.SubElement(case, tag, message=xml_text(error.message), type=xml_text(error.code))
    lines = [error.message, *filter(None, [error.source, error.hint, error.stack])]
    found.text = xml_text("\n".join(lines))


def _element(parent: ET.Element, tag: str, **attributes: str) -> ET.Element:
    return ET.SubElement(parent, tag, {key: xml_text(value) for key, value in attributes.items()})


def _class(report: FileReport) -> str:
    """The file as a dotted name, by which CI services put cases together."""
    return xml_text(".".join(report.path.with_suffix("").parts))


def xml_text(text: str) -> str:
    """Text that XML may hold, without secrets."""
    return _NOT_XML.sub("?", clean(text))


def _seconds(ms: float) -> str:
    return f"{ms / 1000:.3f}"
