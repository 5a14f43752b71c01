"""`lafiya content`: what clinicians and reviewers of the Hausa need."""

from datetime import UTC, datetime
from pathlib import Path

import click

from knowledge import content as checks
from knowledge.content_sheet import sheet as review_sheet
from knowledge.topic import load_topics
from knowledge.triage_signs import load_signs


@click.group()
def content() -> None:
    """Check and print the reviewed content: danger signs and library."""


@content.command()
@click.option("--all", "everything", is_flag=True, help="Notes too, not only errors and warnings.")
def check(everything: bool) -> None:
    """List what a machine can see: schema, lengths, hooks, repeated questions, expired reviews."""
    findings = checks.check(datetime.now(UTC).date())
    shown = [f for f in findings if everything or f.severity != "note"]
    for finding in shown:
        click.echo(f"{finding.severity:8} {finding.where} {finding.field}: {finding.message}")
    errors = sum(finding.severity == "error" for finding in findings)
    click.echo(f"{len(findings)} findings, {errors} of them errors.")
    if errors:
        raise click.exceptions.Exit(1)


@content.command()
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("review-sheet.html"),
    show_default=True,
    help="The page to write; print it, or save it as PDF from a browser.",
)
def sheet(out: Path) -> None:
    """Write the review sheet that a clinician reads and signs."""
    page = review_sheet(load_topics(), load_signs(), datetime.now(UTC).date())
    out.write_text(page, encoding="utf-8")
    click.echo(f"Wrote {out}.")
