"""OpenDocument spreadsheets, written: values only."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from llmspell_tools.document._sheets import cell_value

_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
_URN = "urn:oasis:names:tc:opendocument:xmlns"
_MANIFEST = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<manifest:manifest xmlns:manifest="{_URN}:manifest:1.0" manifest:version="1.2">'
    f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{_TYPE}"/>'
    '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
    "</manifest:manifest>"
)
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<office:document-content xmlns:office="{_URN}:office:1.0" xmlns:table="{_URN}:table:1.0" '
    f'xmlns:text="{_URN}:text:1.0" office:version="1.2"><office:body><office:spreadsheet>'
)
_TAIL = "</office:spreadsheet></office:body></office:document-content>"
#: What no XML text can hold.
_IMPOSSIBLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def ods(tables: list[dict[str, Any]]) -> bytes:
    """The bytes of a file of sheets `{name, rows}`."""
    body = "".join(
        f"<table:table table:name={quoteattr(_text(table['name']))}>"
        + "".join(f"<table:table-row>{''.join(map(_cell, row))}</table:table-row>" for row in rows)
        + "</table:table>"
        for table in tables
        for rows in [table["rows"] or [[None]]]
    )
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        # The first entry, not compressed: that is how the type of the file is told.
        archive.writestr(zipfile.ZipInfo("mimetype"), _TYPE, zipfile.ZIP_STORED)
        archive.writestr("META-INF/manifest.xml", _MANIFEST)
        archive.writestr("content.xml", _HEAD + body + _TAIL)
    return target.getvalue()


def _cell(value: Any) -> str:
    value = cell_value(value)
    if value is None:
        return "<table:table-cell/>"
    if isinstance(value, bool):
        word = str(value).lower()
        kind = f'office:value-type="boolean" office:boolean-value="{word}"'
    elif isinstance(value, str):
        word, kind = _text(value), 'office:value-type="string"'
    else:
        word = repr(value)
        kind = f'office:value-type="float" office:value="{word}"'
    lines = "".join(f"<text:p>{_spaced(line)}</text:p>" for line in word.split("\n"))
    return f"<table:table-cell {kind}>{lines}</table:table-cell>"


def _spaced(line: str) -> str:
    """Spaces after one another are one, unless they are counted."""
    counted = re.sub(r" {2,}", lambda found: f"\x00{len(found[0])}\x00", line)
    return re.sub(r"\x00(\d+)\x00", r'<text:s text:c="\1"/>', escape(counted))


def _text(value: str) -> str:
    return _IMPOSSIBLE.sub(" ", value)
