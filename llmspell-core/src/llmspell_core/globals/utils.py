"""The script global `Utils`; answered by the engine, except `env`, which asks the policy."""

from __future__ import annotations

from typing import Any

from llmspell_core.script.api import ScriptGlobal, guest_only, script_method


class UtilsGlobal(ScriptGlobal):
    """Small things that many scripts need."""

    name = "Utils"

    @script_method(guest=True)
    def uuid(self) -> str:
        """A new random UUID (version 4)."""
        return guest_only()  # type: ignore[no-any-return]

    @script_method(guest=True)
    def hash(self, text: str, algorithm: str = "sha256") -> str:
        """The hash of a text, in hexadecimal digits.

        Args:
            text: text or bytes
            algorithm: md5, sha1, sha224, sha256, sha384, sha512, sha3_256, sha3_512 or blake2b
        """
        return guest_only()  # type: ignore[no-any-return]

    @script_method
    def env(self, name: str) -> str | None:
        """An environment variable; nil when it is unset or the policy does not name it.

        Args:
            name: the variable; what looks like a secret gives `***`
        """
        return self.ctx.policy.env.get(name)

    @script_method(guest=True)
    def now(self) -> int:
        """The time in ms since 1970."""
        return guest_only()  # type: ignore[no-any-return]

    @script_method(guest=True)
    def slug(self, text: str, separator: str = "-") -> str:
        """A text as a name for files and addresses: `hello-world`.

        Args:
            text: any text
            separator: stands between the words
        """
        return guest_only()  # type: ignore[no-any-return]

    @script_method(guest=True)
    def truncate(self, text: str, length: int, suffix: str = "...") -> str:
        """A text cut to a length, the suffix included.

        Args:
            text: any text
            length: the most characters
            suffix: says that something is missing
        """
        return guest_only()  # type: ignore[no-any-return]

    @script_method(guest=True)
    def template(self, text: str, variables: dict[str, Any] | None = None) -> str:
        """A text with `{{name}}` and `{{a.b}}` filled in; unknown names stay as written.

        Args:
            text: the template
            variables: the values
        """
        return guest_only()  # type: ignore[no-any-return]
