"""Store in a Google Cloud Storage bucket."""

from typing import Any
from urllib.parse import quote

from airflow_zendesk.storage.bucket import Body, BucketStore
from airflow_zendesk.storage.store import Version


class GcsStore(BucketStore):
    """A bucket, accessed with gcsfs.

    gcsfs has no public method that takes a generation. ``_call`` sends any request with its credentials and retries;
    in fsspec the underscore marks a coroutine, not a private method. The contract tests of this store would fail
    if gcsfs renamed it.

    https://cloud.google.com/storage/docs/request-preconditions
    """

    precondition = "ifGenerationMatch"
    #: https://cloud.google.com/storage/quotas#objects
    max_put_bytes = 5 * 2**40

    async def _list_one(self, bucket: str, prefix: str) -> None:
        await self._fs._call("GET", "b/{}/o", bucket, prefix=prefix, maxResults=1)  # noqa: SLF001  see above

    async def _send(self, bucket: str, name: str, body: Body, size: int, expected: Version | None) -> None:
        await self._fs._call(  # noqa: SLF001  see above
            "POST",
            f"{self._fs.base.replace('/storage/v1/', '/upload/storage/v1/')}b/{quote(bucket)}/o",
            uploadType="media",
            name=name,
            ifGenerationMatch=expected or "0",
            headers={"Content-Type": "application/octet-stream", "Content-Length": str(size)},
            data=body,
        )

    def _version_of(self, info: dict[str, Any]) -> Version:
        return str(info["generation"])
