"""The review sheet: all content on paper, Hausa beside its English gloss, with room to sign.

Knows how a page is laid out for printing. Does not read files, decide what is right or know who
reviews: it turns topics and signs into one self-contained HTML text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from html import escape

from knowledge.topic import Topic
from knowledge.triage_signs import Sign

_STYLE = """
@page { size: A4; margin: 14mm 12mm 16mm; }
* { box-sizing: border-box; }
body { font: 9.5pt/1.35 "Noto Sans", "DejaVu Sans", Arial, sans-serif; color: #111;
  max-width: 190mm; margin: 0 auto; padding: 0 4mm; }
h1 { font-size: 20pt; margin: 8mm 0 2mm; }
h2 { font-size: 15pt; margin: 10mm 0 3mm; border-bottom: 2px solid #111; }
article { break-before: page; padding-top: 2mm; }
article.sign { break-before: auto; break-inside: avoid; margin-top: 8mm; }
header { display: flex; justify-content: space-between; gap: 6mm; align-items: baseline;
  border-bottom: 1px solid #111; margin-bottom: 3mm; }
h3 { font-size: 13.5pt; margin: 0 0 1mm; }
h3 small { display: block; font-weight: normal; font-size: 10.5pt; color: #444; }
.tag { font-size: 9pt; white-space: nowrap; }
.now { background: #111; color: #fff; padding: 0 2mm; }
table { width: 100%; border-collapse: collapse; table-layout: fixed; }
th, td { border: 1px solid #888; padding: 1mm 1.6mm; text-align: left; vertical-align: top; }
th { font-size: 9pt; background: #eee; }
td { white-space: pre-line; }
col.name { width: 15%; } col.check { width: 9%; }
td:last-child { font-size: 14pt; text-align: center; }
tr { break-inside: avoid; }
.small { font-size: 9pt; color: #333; }
.signature { break-inside: avoid; margin-top: 4mm; border: 1.5px solid #111; padding: 2.5mm 3mm; }
.line { display: inline-block; border-bottom: 1px solid #111; height: 6.5mm; }
.note { border-bottom: 1px dotted #666; height: 7.5mm; }
ul.toc { columns: 3; font-size: 9pt; padding-left: 5mm; }
"""

_GUIDE = (
    (
        "Ku karanta Hausar kamar yadda mara lafiya zai karanta ta.",
        "Read the Hausa as a patient would read it.",
    ),
    (
        "Ku kwatanta ta da Turancin da ke gefe da kuma tushen da aka ambata.",
        "Compare it with the English beside it and with the source named.",
    ),
    (
        "Ku sa alama a akwatin kowane layi idan daidai ne; idan ba haka ba, ku rubuta gyaran.",
        "Tick each row that is right; otherwise write the correction.",
    ),
    (
        "Ku sa hannu a ƙarshen kowane shafi. Abin da ba a sa wa hannu ba daftari ne.",
        "Sign at the end of each entry. What is not signed stays a draft.",
    ),
    (
        "Inda aka ga {emergency}, {suicide_line} ko {drug_line}, lambar waya ce za ta fito.",
        "Where {emergency}, {suicide_line} or {drug_line} stands, a telephone number appears.",
    ),
)

_ROWS = (
    ("answer", "Amsa ta farko", "First message"),
    ("clinic_today", "Zuwa asibiti yau", "To a clinic today"),
    ("more", "Ƙari", "More"),
    ("avoid", "Abin da za a guje wa", "What to avoid"),
)


def sheet(topics: Mapping[str, Topic], signs: Mapping[str, Sign], today: date) -> str:
    """One HTML page with every sign and topic, dated `today`, ready to print and sign."""
    body = [
        _cover(topics, signs, today),
        *(_sign(sign) for sign in signs.values()),
        *(_topic(topic) for topic in topics.values()),
    ]
    return (
        '<!doctype html>\n<html lang="ha">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Takardar bita / Review sheet {today.isoformat()}</title>\n"
        f"<style>{_STYLE}</style>\n</head>\n<body>\n{''.join(body)}</body>\n</html>\n"
    )


def _cover(topics: Mapping[str, Topic], signs: Mapping[str, Sign], today: date) -> str:
    guide = "".join(
        f'<li>{escape(ha)}<br><span class="small" lang="en">{escape(en)}</span></li>'
        for ha, en in _GUIDE
    )
    return (
        "<h1>Takardar bita ta likitoci</h1>\n"
        f'<p lang="en">Review sheet for clinicians, {today.isoformat()}:'
        f" {len(signs)} danger signs, {len(topics)} topics.</p>\n<ol>{guide}</ol>\n"
        f"<h2>Alamomin haɗari / Danger signs</h2>{_contents('sign', signs)}\n"
        f"<h2>Batutuwa / Topics</h2>{_contents('topic', topics)}\n"
    )


def _contents(kind: str, ids: Iterable[str]) -> str:
    items = "".join(f'<li><a href="#{kind}-{escape(key)}">{escape(key)}</a></li>' for key in ids)
    return f'<ul class="toc">{items}</ul>'


def _topic(topic: Topic) -> str:
    rows = [
        (ha, en, getattr(topic, name)["ha"], getattr(topic, name)["en"]) for name, ha, en in _ROWS
    ]
    asked = " · ".join(escape(question) for question in topic.questions)
    return _entry(
        kind="topic",
        key=topic.id,
        titles=(topic.title["ha"], topic.title["en"]),
        tag=_status(topic.status, topic.review_by),
        rows=rows,
        asked=f"<b>Yadda ake tambaya / As people ask:</b> {asked}",
        source="; ".join(str(source) for source in topic.source),
        reviewer=topic.reviewer,
    )


def _sign(sign: Sign) -> str:
    urgent = {"now": "YANZU / NOW", "same-day": "YAU / SAME DAY"}[sign.urgency]
    asked = " · ".join(escape(phrase) for phrase in sign.phrases[:12])
    rows = [("Saƙon gaggawa", "Emergency reply", sign.reply["ha"], sign.reply["en"])]
    if sign.note:
        rows.append(("Idan zance ne kawai", "If only spoken of", sign.note["ha"], sign.note["en"]))
    return _entry(
        kind="sign",
        key=sign.id,
        titles=(sign.title_ha, sign.title_en),
        tag=f'<span class="now">{urgent}</span> {_status(sign.status, sign.review_by)}',
        rows=rows,
        asked=f"<b>Misalai / Examples:</b> {asked}",
        source=sign.source,
        reviewer=sign.reviewer,
    )


def _entry(
    *,
    kind: str,
    key: str,
    titles: tuple[str, str],
    tag: str,
    rows: Sequence[tuple[str, str, str, str]],
    asked: str,
    source: str,
    reviewer: str | None,
) -> str:
    cells = "".join(
        f"<tr><th>{escape(ha)}<br>{escape(en)}</th><td>{escape(text)}</td>"
        f'<td lang="en">{escape(gloss)}</td><td>☐</td></tr>\n'
        for ha, en, text, gloss in rows
    )
    return (
        f'<article class="{kind}" id="{kind}-{escape(key)}">\n<header><h3>{escape(titles[0])}'
        f'<small lang="en">{escape(titles[1])} ({escape(key)})</small></h3>'
        f'<span class="tag">{tag}</span></header>\n'
        '<table><colgroup><col class="name"><col><col><col class="check"></colgroup>\n'
        "<tr><th></th><th>Hausa</th><th>English</th><th>Daidai / Right</th></tr>\n"
        f'{cells}</table>\n<p class="small">{asked}</p>\n'
        f'<p class="small"><b>Tushe / Source:</b> {escape(source)}</p>\n'
        f"{_signature(reviewer)}</article>\n"
    )


def _status(status: str, review_by: date) -> str:
    return f"{escape(status)}, {review_by.isoformat()}"


def _signature(reviewer: str | None) -> str:
    before = f" (a baya / before: {escape(reviewer)})" if reviewer else ""
    return (
        '<div class="signature">☐ Na amince / Approved &emsp; ☐ Da gyara / With changes &emsp;'
        ' ☐ Ban amince ba / Not approved<div class="note"></div><div class="note"></div>\n'
        f'Suna / Name{before}: <span class="line" style="width:55mm"></span>'
        ' Lamba / Registration: <span class="line" style="width:30mm"></span><br>\n'
        'Sa hannu / Signature: <span class="line" style="width:50mm"></span>'
        ' Kwanan wata / Date: <span class="line" style="width:30mm"></span></div>\n'
    )
