"""robots.txt as RFC 9309 reads it: groups by agent, the longest rule wins, `*` and `$` count."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

AGENT = "llmspell"
_MOST_BYTES = 512 * 1024
_MOST_RULES = 5_000


@dataclass(slots=True)
class Robots:
    """The rules for one agent. `delay_s` is what the site asks to wait between requests."""

    rules: list[tuple[str, bool]] = field(default_factory=list)
    sitemaps: list[str] = field(default_factory=list)
    delay_s: float = 0

    def allows(self, url: str) -> bool:
        """Whether the agent may fetch this address."""
        parts = urlsplit(url)
        path = _plain(parts.path or "/") + (f"?{_plain(parts.query)}" if parts.query else "")
        best, allowed = -1, True
        for rule, allow in self.rules:
            better = len(rule) > best or (len(rule) == best and allow)
            if better and matches(rule, path):
                best, allowed = len(rule), allow
        return allowed


def parse(text: str, agent: str = AGENT) -> Robots:
    """Read a robots.txt for one agent.

    Args:
        text: the file
        agent: whose group counts; without one, the group of `*`
    """
    own: Robots = Robots()
    every: Robots = Robots()
    sitemaps: list[str] = []
    found_own = False
    current: list[Robots] = []
    in_rules = True
    for line in text[:_MOST_BYTES].splitlines():
        name, colon, value = line.partition("#")[0].partition(":")
        name, value = name.strip().lower(), value.strip()
        if not colon:
            continue
        if name == "user-agent":
            if in_rules:
                current, in_rules = [], False
            if value == "*":
                current.append(every)
            elif value.lower().partition("/")[0] == agent:
                found_own = True
                current.append(own)
        elif name == "sitemap":
            sitemaps.append(value)
        else:
            in_rules = True
            _add(current, name, value)
    chosen = own if found_own else every
    return Robots(chosen.rules[:_MOST_RULES], sitemaps, chosen.delay_s)


def matches(rule: str, path: str) -> bool:
    """Whether a rule covers a path: each `*` takes as little as it can, so no backtracking."""
    anchored = rule.endswith("$")
    parts = (rule[:-1] if anchored else rule).split("*")
    if not path.startswith(parts[0]):
        return False
    place = len(parts[0])
    for part in parts[1:-1]:
        found = path.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    if len(parts) == 1:
        return not anchored or place == len(path)
    if anchored:
        return path.endswith(parts[-1]) and len(path) - len(parts[-1]) >= place
    return path.find(parts[-1], place) >= 0


def _add(groups: list[Robots], name: str, value: str) -> None:
    for group in groups:
        if name in ("allow", "disallow") and value:
            group.rules.append((_plain(value), name == "allow"))
        elif name == "crawl-delay":
            try:
                group.delay_s = max(0.0, float(value))
            except ValueError:
                continue


def _plain(path: str) -> str:
    """One spelling of percent-encoding, for rules and addresses alike."""
    return quote(unquote(path), safe="/*$?&=:;,@!'()+~")
