"""Our reports as HTML: their forms, and that whatever a model said stays words."""

import pytest

from web.markdown import html

CASES = [
    ("heading", "# v1: failed", "<h2>v1: failed</h2>"),
    ("deepest", "####### x", "<h6>x</h6>"),
    ("list", "- one\n- two", "<ul><li>one</li><li>two</li></ul>"),
    ("paragraph", "one\ntwo", "<p>one two</p>"),
    ("bold", "**v1** and `code`", "<p><strong>v1</strong> and <code>code</code></p>"),
    ("quote", "> one\n>\n> two", "<blockquote>one<br><br>two</blockquote>"),
    (
        "table",
        "| | base | v1 |\n|---|---:|---:|\n| Loss | 4.8 | – |",
        "<table><thead><tr><th></th><th>base</th><th>v1</th></tr></thead>"
        "<tbody><tr><th>Loss</th><td>4.8</td><td>–</td></tr></tbody></table>",
    ),
    ("nothing", "", ""),
]


@pytest.mark.parametrize(("label", "text", "expected"), CASES, ids=[case[0] for case in CASES])
def test_forms(label, text, expected):
    assert html(text) == expected


BAD = [
    "> <script>alert(1)</script>",
    "**<img src=x onerror=alert(1)>**",
    "`<b>`",
    "| <i>x</i> | {0} |",
    "# <a href='javascript:x'>{name}</a>",
]


@pytest.mark.parametrize("text", BAD)
def test_words_stay_words(text):
    shown = html(text)
    for tag in ("<script", "<img", "<b>", "<i>", "<a "):
        assert tag not in shown
    assert "&lt;" in shown
