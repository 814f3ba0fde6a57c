"""The gate's suites and last outcomes as a site that an operator can open: Great Expectations' Data Docs.

Belongs here: building the site. Does not belong here: any decision; the site shows what `blotter.quality.gate` decides
by.
"""

import shutil
import warnings
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from blotter.quality.frames import Batch, build_frame
from blotter.quality.gate import open_context
from blotter.quality.suites import References, checks_of
from blotter.schemas import TABLES

_SITE = "blotter"


def write_data_docs(tables: Mapping[str, pa.Table], folder: Path, *, now: datetime, references: References) -> Path:
    """Check tables once more and write what came of it as a site into `folder`; returns its first page.

    It takes about a second and five megabytes: for maintenance and after a blocked batch, not for every batch.
    """
    remove_data_docs(folder)  # pages of earlier batches would stay, each with its rows
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs, about pandas
        gx, expectations, _ = open_context()
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False}
        for name in context.get_site_names():
            context.delete_data_docs_site(name)
        context.add_data_docs_site(site_name=_SITE, site_config=_describe_site(folder))
        source = context.data_sources.add_pandas("batch")
        batch = Batch(tables, now, references, {})
        for name in (name for name in TABLES if name in tables and tables[name].num_rows):
            suite = gx.ExpectationSuite(
                name,
                expectations=[
                    getattr(expectations, check.kind)(**check.arguments, description=check.expectation)
                    for check in checks_of(name)
                ],
            )
            whole = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("whole")
            definition = gx.ValidationDefinition(data=whole, suite=context.suites.add(suite), name=name)
            checkpoint = gx.Checkpoint(
                name=name,
                validation_definitions=[context.validation_definitions.add(definition)],
                result_format={"result_format": "COMPLETE"},
            )
            context.checkpoints.add(checkpoint).run(batch_parameters={"dataframe": build_frame(name, batch)})
        context.build_data_docs(site_names=[_SITE])
    return folder / "index.html"


def remove_data_docs(folder: Path) -> None:
    """Remove the site from its folder, and nothing else that may lie there."""
    for name in ("expectations", "validations", "static"):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / "index.html").unlink(missing_ok=True)


def _describe_site(folder: Path) -> dict[str, object]:
    return {
        "class_name": "SiteBuilder",
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder)},
    }
