"""A bucket of Google Cloud Storage."""

from typing import Any
from urllib.parse import quote

from airflow_zendesk.storage.bucket import Body, BucketStore
from airflow_zendesk.storage.store import Version


class GcsStore(BucketStore):
    """A bucket that gcsfs reaches.

    https://cloud.google.com/storage/docs/request-preconditions
    """

    precondition = "ifGenerationMatch"
    #: https://cloud.google.com/storage/quotas#objects
    max_put_bytes = 5 * 2**40

    async def _list_one(self, bucket: str, prefix: str) -> None:
        await self._fs._call("GET", "b/{}/o", bucket, prefix=prefix, maxResults=1)  # noqa: SLF001  see _send

    async def _send(self, bucket: str, name: str, body: Body, size: int, expected: Version | None) -> None:
        # gcsfs has no method that takes a generation; its request, with its credentials and retries, takes anything.
        await self._fs._call(  # noqa: SLF001  a coroutine has an underscore in fsspec, and belongs to its interface
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
