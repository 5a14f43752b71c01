"""The sentences the service says, in Hausa and English, by key.

Knows the words; does not know when they are said. Both files have the same keys (tested); a person
with any other language is spoken to in Hausa.
"""

from functools import cache
from importlib import resources

from fluent.runtime import FluentBundle, FluentResource

LANGUAGES = ("ha", "en")


class Texts:
    """All sentences. `texts("help", "ha", emergency=...)` is one of them."""

    def __init__(self) -> None:
        self._bundles = {language: _bundle(language) for language in LANGUAGES}

    def __call__(self, key: str, language: str = "ha", **values: str | int) -> str:
        """The sentence for a key. Raises KeyError for an unknown key or a value left open."""
        bundle = self._bundles.get(language, self._bundles["ha"])
        pattern = bundle.get_message(key).value
        if pattern is None:
            raise KeyError(key)
        text, problems = bundle.format_pattern(pattern, values)
        if problems:
            raise KeyError(f"{key}: {problems[0]}")
        return str(text)

    def keys(self, language: str) -> frozenset[str]:
        """All keys of a language."""
        return frozenset(self._bundles[language]._messages)


@cache
def _bundle(language: str) -> FluentBundle:
    """The parsed file; parsing takes a tenth of a second, and nobody changes what comes of it."""
    source = (resources.files("bot.texts") / f"{language}.ftl").read_text(encoding="utf-8")
    # Isolation marks would show as boxes on old phones, and Hausa is written left to right.
    bundle = FluentBundle([language], use_isolating=False)
    bundle.add_resource(FluentResource(source))
    return bundle
