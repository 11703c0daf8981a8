"""Store in an Azure Blob Storage container."""

from typing import Any

from airflow_zendesk.storage.bucket import Body, BucketStore
from airflow_zendesk.storage.store import Version


class AzureStore(BucketStore):
    """A container, accessed with adlfs. Azure's client keeps a body in memory while it sends it.

    https://learn.microsoft.com/rest/api/storageservices/specifying-conditional-headers-for-blob-service-operations
    """

    precondition = "If-None-Match, and If-Match with the ETag"
    #: https://learn.microsoft.com/azure/storage/blobs/scalability-targets
    max_put_bytes = 5000 * 2**20
    _conflict_codes = frozenset({"BlobAlreadyExists"})  # with the status 409

    async def _list_one(self, bucket: str, prefix: str) -> None:
        async with self._fs.service_client.get_container_client(bucket) as container:
            async for _ in container.list_blobs(name_starts_with=prefix, results_per_page=1):
                break

    async def _send(self, bucket: str, name: str, body: Body, size: int, expected: Version | None) -> None:
        from azure.core import MatchConditions  # noqa: PLC0415  installed with adlfs, which is optional
        from azure.storage.blob.aio import BlobClient  # noqa: PLC0415

        condition: dict[str, Any] = {"overwrite": False}
        if expected is not None:
            condition = {"overwrite": True, "etag": expected, "match_condition": MatchConditions.IfNotModified}
        adlfs_client = self._fs.service_client.get_blob_client(bucket, name)
        # adlfs's own client splits large bodies and waits 15 seconds before its first retry.
        async with BlobClient.from_blob_url(
            adlfs_client.url,
            credential=adlfs_client.credential,
            max_single_put_size=self.max_put_bytes,
            retry_total=2,
            initial_backoff=1,
            increment_base=2,
            random_jitter_range=0,
        ) as client:
            await client.upload_blob(body, length=size, **condition)

    def _version_of(self, info: dict[str, Any]) -> Version:
        return str(info["etag"])
