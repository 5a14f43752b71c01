"""The process of an export: `training.jobs` starts it.

The composition root of an export: it alone joins the registry, the settings and the hub with the
work, which knows none of them. The gate is asked again here: a verdict may have turned since.
"""

import os
import sys
from pathlib import Path

from cli.process import work_on
from core.settings import Settings
from inference.gemma.mark import is_demo
from storage.releases import Listed
from storage.store import open_store
from training import export, manifest
from training.exporting import Export
from training.folder import RunFolder
from training.hub import HuggingFace
from training.manifest import FILE, Manifest
from training.model_card import Facts
from training.registry import open_registry


def work(settings: Settings, run: RunFolder) -> bool:
    """Carry an export out; that it is done. Raises LafiyaError."""
    wanted = export.read(run)
    run.update(phase="loading", pid=os.getpid(), detail="checking the release's files")
    database = open_store(settings.database_url, settings.data_key.get_secret_value())
    try:
        registry = open_registry(settings, database)
        row = registry.find(wanted.release)
        export.check_leave(row, wanted)
        release = registry.fetch(row.name)
    finally:
        database.close()
    made = manifest.parse((Path(release.folder) / FILE).read_bytes())
    hub = HuggingFace(settings.hf_endpoint, settings.hf_token)
    told = facts(row, made, wanted.made, wanted.forced)
    Export(run, wanted, release, made, told, hub, settings.llama_cpp).work()
    return True


def facts(row: Listed, made: Manifest, form: str, forced: str = "") -> Facts:
    """What the card of a release says."""
    base = made.base_model
    metrics = row.report.get("metrics") or made.metrics
    return Facts(
        name=row.name,
        form=form,
        # Where it lies on this machine is nobody's business.
        base_model=Path(base).name if Path(base).is_dir() or base.startswith(("/", ".")) else base,
        base_revision="" if made.base_revision == "local" else made.base_revision,
        data=made.data,
        config=made.config,
        metrics=metrics,
        passed=row.verdict,
        reasons=tuple(map(str, row.report.get("reasons") or ())),
        forced=forced or row.forced,
        code_version=made.code_version,
        created=made.created,
        random=is_demo(base),
    )


def main(arguments: list[str]) -> int:
    """Work on the folder named first; an environment file may be named second."""
    return work_on(arguments, "export.failed", work)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
