"""The hostile project files: what each says is expected, and a place to try it in.

A file begins with `# expect: ignored KEY KEY` (the warning names these and no others),
`# expect: error TEXT` or `# expect: nothing`, while its folder is not trusted, and may say
`# trusted: KEY = TEXT` or `# trusted: error TEXT` of a trusted one. `@EVIL@` is the address of a
server that nothing may ask, `@ELSEWHERE@` a folder that nothing may read or write.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from llmspell_cli.testing import CommandLine, Done, serving
from llmspell_core.testing import FakeOpenAI

FOLDER = Path(__file__).parent / "projects"
CANARY = "canary-5f1d3c9a7b"
HOUSE_KEY = "house-key-canary-81c2e4"

PROBE = """\
local outside = args.outside
local function code(result) return result.success and "reached" or "refused" end
local read = Tool.try("file-operations", { operation = "read", path = outside .. "/secret.txt" })
local write = Tool.try("file-operations",
  { operation = "write", path = outside .. "/written.txt", content = "x" })
local ask = Tool.try("http-requester", { url = args.evil })
local process = Tool.try("process-executor",
  { executable = "touch", arguments = { outside .. "/ran" } })
local ok, answer = pcall(function() return Agent.new({ model = "house/m" }):execute("hi").text end)
print(JSON.encode({
  profile = Security.profile, model = tostring(answer), read = code(read), write = code(write),
  ask = code(ask), process = code(process), env = tostring(Utils.env("CANARY_SECRET")),
  debug = tostring(debug), package = tostring(package),
}))
"""


@dataclass(frozen=True, slots=True)
class Project:
    """One file of the corpus."""

    name: str
    text: str
    ignored: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    #: The same of a trusted folder: values by key, and texts of errors.
    values: dict[str, str] = field(default_factory=dict)
    trusted_errors: list[str] = field(default_factory=list)


def projects() -> list[Project]:
    """The corpus, sorted by name."""
    return [_project(path) for path in sorted(FOLDER.glob("*.toml"))]


def _project(path: Path) -> Project:
    text = path.read_text(encoding="utf-8")
    made = Project(path.stem, text)
    for kind, rest in re.findall(r"^# (expect|trusted): (.+)$", text, re.MULTILINE):
        word, _, more = rest.partition(" ")
        if kind == "trusted" and word != "error":
            key, _, value = rest.partition(" = ")
            made.values[key] = value
        elif word == "error":
            (made.errors if kind == "expect" else made.trusted_errors).append(more)
        elif word == "ignored":
            made.ignored.extend(more.split())
        else:
            assert word == "nothing", f"{path.name}: {rest}"
    return made


class Place:
    """A working directory with a hostile project, a user with secrets, and two servers."""

    def __init__(self, folder: Path, good: FakeOpenAI, evil: FakeOpenAI) -> None:
        self.llmspell = CommandLine(folder)
        self.good = good
        self.evil = evil
        self.elsewhere = folder / "elsewhere"
        self.asked = folder / "asked.txt"
        self.project = self.llmspell.cwd
        self._folder = folder
        self._make()

    def _make(self) -> None:
        self.elsewhere.mkdir()
        (self.elsewhere / "secret.txt").write_text(CANARY)
        (self.elsewhere / "llmspell.toml").write_text('[security]\nprofile = "none"\n')
        temp = self._folder / "temp"
        temp.mkdir()
        self.llmspell.env |= {
            "TMPDIR": str(temp),
            "CANARY_SECRET": CANARY,
            "CANARY_NUMBER": "77",
        }
        self.llmspell.write("probe.lua", PROBE)
        self.llmspell.write("inner/llmspell.toml", '[security]\nprofile = "none"\n')
        self.llmspell.write(".env", CANARY)
        (self.project / "link.txt").symlink_to(self.elsewhere / "secret.txt")
        asker = self._folder / "ask.py"
        asker.write_text(
            f"import pathlib, sys\nwith open({str(self.asked)!r}, 'a') as f: f.write(sys.argv[1])\n"
            f"print({CANARY!r})\n"
        )
        config = self.llmspell.home / "config"
        config.mkdir()
        (config / "config.toml").write_text(
            f'[default]\nmodel = "house/m"\nmax_cost_usd = 1\n'
            f'[prices."house/m"]\ninput = 1\noutput = 1\n'
            f'[providers.house]\ntype = "openai"\nbase_url = "{self.good.base_url}"\n'
            f'api_key = "{HOUSE_KEY}"\n'
            f'[secrets]\ncommand = "{sys.executable} {asker}"\n'
            "[tools.web-searcher]\nenabled = false\n"
        )

    def write(self, text: str, name: str = "llmspell.toml") -> None:
        """The project file, its words replaced."""
        evil = self.evil.base_url.removesuffix("/v1")
        text = text.replace("@EVIL@", evil).replace("@ELSEWHERE@", str(self.elsewhere))
        self.llmspell.write(name, text)

    def run_probe(self) -> Done:
        """Let the probe try to reach what is outside."""
        given = ["--param", f"outside={self.elsewhere}", "--param", f"evil={self.evil.base_url}"]
        return self.llmspell("run", *given, "probe.lua")

    def assert_untouched(self, *outputs: Done) -> None:
        """Nothing was written elsewhere, no secret read, shown or sent, the server not asked."""
        found = sorted(path.name for path in self.elsewhere.iterdir())
        assert found == ["llmspell.toml", "secret.txt"]
        assert not self.asked.exists()
        assert self.evil.headers == []
        for done in outputs:
            assert CANARY not in done.out + done.err
            assert HOUSE_KEY not in done.out + done.err
        sent = str(self.good.requests)
        assert CANARY not in sent
        for headers in self.good.headers:
            assert headers.get("authorization") == f"Bearer {HOUSE_KEY}"

    def clean(self) -> None:
        """Make it new for the next case."""
        for one in (self.project, self.llmspell.home, self.elsewhere, self._folder / "temp"):
            shutil.rmtree(one, ignore_errors=True)
        self.asked.unlink(missing_ok=True)
        self.good.requests.clear()
        self.good.headers.clear()
        self.evil.headers.clear()
        self.project.mkdir()
        self.llmspell.home.mkdir()
        self._make()


@contextmanager
def place(folder: Path) -> Iterator[Place]:
    """A place in this folder, its servers running."""
    with serving(FakeOpenAI("the good one")) as good, serving(FakeOpenAI("evil")) as evil:
        yield Place(folder, good, evil)
