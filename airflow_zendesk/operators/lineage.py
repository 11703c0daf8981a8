"""OpenLineage datasets of exports and loads. Imported only when Airflow's OpenLineage provider asks for them.

The names follow https://openlineage.io/docs/spec/naming/; an export of Zendesk is named by its host and path.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from airflow.providers.openlineage.extractors import OperatorLineage
from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.generated.base import DatasetFacet, RunFacet
from openlineage.client.generated.dataset_version_dataset import DatasetVersionDatasetFacet
from openlineage.client.generated.output_statistics_output_dataset import OutputStatisticsOutputDatasetFacet
from openlineage.client.generated.schema_dataset import SchemaDatasetFacet, SchemaDatasetFacetFields

from airflow_zendesk.dataset.schema import arrow_schema
from airflow_zendesk.hooks.connection_lookup import load_connection
from airflow_zendesk.zendesk.resources import RESOURCES

Lineage = OperatorLineage[InputDataset | OutputDataset, RunFacet]

_DUCKDB = "duckdb://"
_POSTGRES_PORT = 5432


def lineage_of_export(report: Mapping[str, Any]) -> Lineage:
    """The lineage of an export: the account's API, and the folder of the dataset with the rows of the run."""
    resource = report["resource"]
    namespace, name = _folder(report["destination"])
    statistics = OutputStatisticsOutputDatasetFacet(
        rowCount=report["rows"], size=report["bytes"], fileCount=len(report["slices"])
    )
    return OperatorLineage(
        inputs=[InputDataset(namespace=f"https://{report['account']}", name=RESOURCES[resource].path)],
        outputs=[
            OutputDataset(
                namespace=namespace,
                name=name,
                facets=_facets(resource, (slice_["digest"] for slice_ in report["slices"])),
                outputFacets={"outputStatistics": statistics},
            )
        ],
    )


def lineage_of_load(reports: Sequence[Mapping[str, Any]], warehouse: str, schema: str) -> Lineage:
    """The lineage of a load: the folders of the datasets, and the tables with the rows of the run."""
    lineage: Lineage = OperatorLineage()
    namespace, prefix = _database(warehouse)
    for report in reports:
        resource, slices = report["resource"], report.get("slices", [])
        facets = _facets(resource, (slice_["digest"] for slice_ in slices))
        if slices:
            folder, name = _folder(slices[0]["uri"].rpartition("/event_date=")[0])
            lineage.inputs.append(InputDataset(namespace=folder, name=name, facets=facets))
        statistics = OutputStatisticsOutputDatasetFacet(rowCount=report["rows"])
        lineage.outputs.append(
            OutputDataset(
                namespace=namespace,
                name=f"{prefix}{schema}.{resource}",
                facets=facets,
                outputFacets={"outputStatistics": statistics},
            )
        )
    return lineage


def _folder(uri: str) -> tuple[str, str]:
    url = urlsplit(uri)
    return ("file", url.path) if url.scheme == "file" else (f"{url.scheme}://{url.netloc}", url.path.strip("/"))


def _database(warehouse: str) -> tuple[str, str]:
    """The namespace of a warehouse, and the part of a table's name before its schema."""
    if warehouse.startswith(_DUCKDB):
        return "duckdb", f"{warehouse.removeprefix(_DUCKDB)}."
    connection = load_connection(warehouse)
    return f"postgres://{connection.host}:{connection.port or _POSTGRES_PORT}", f"{connection.schema}."


def _facets(resource: str, digests: Iterable[str | None]) -> dict[str, DatasetFacet]:
    """The columns, and as the version the digest of the slice; of several slices, the digest of their digests."""
    schema = arrow_schema(RESOURCES[resource].columns)
    fields = [SchemaDatasetFacetFields(name=column.name, type=str(column.type)) for column in schema]
    facets: dict[str, DatasetFacet] = {"schema": SchemaDatasetFacet(fields=fields)}
    known = [digest for digest in digests if digest]
    if len(known) > 1:
        known = [f"sha256:{hashlib.sha256(' '.join(known).encode()).hexdigest()}"]
    if known:
        facets["version"] = DatasetVersionDatasetFacet(datasetVersion=known[0])
    return facets
