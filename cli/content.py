"""`lafiya content`: what clinicians and reviewers of the Hausa need."""

import click


@click.group()
def content() -> None:
    """Check and print the reviewed content: danger signs and library."""
