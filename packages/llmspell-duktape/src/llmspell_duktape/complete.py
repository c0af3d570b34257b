"""Whether a REPL's text is a whole input. Compiles it, runs nothing."""

from __future__ import annotations

from llmspell_core.script.jsontext import dumps

#: A function of JSON text that says how compiling ended. What it catches is the compiler's.
_CHECK = """
(function (text) {
  var source = JSON.parse(text);
  try {
    Function(source);
    return "";
  } catch (error) {
    return String(error.message);
  }
})
"""


def complete(source: str) -> bool:
    """False when the text ends in the middle of something."""
    import pyduktape2

    context = pyduktape2.DuktapeContext()
    check = context.eval_js(_CHECK)
    message: str = check(dumps(source))
    return "end of input" not in message and not _open_comment(source, message)


def _open_comment(source: str, message: str) -> bool:
    return bool(message) and source.rfind("/*") > source.rfind("*/")
