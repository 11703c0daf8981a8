"""A bucket of S3, or of a storage that speaks like it."""

from typing import Any

from airflow_zendesk.storage.bucket import Body, BucketStore
from airflow_zendesk.storage.errors import answer
from airflow_zendesk.storage.store import Version


class S3Store(BucketStore):
    """A bucket that s3fs reaches.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    """

    precondition = "If-None-Match, and If-Match with the ETag"
    #: https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html
    max_put_bytes = 5 * 2**30

    async def _list_one(self, bucket: str, prefix: str) -> None:
        await self._ask("list_objects_v2", Bucket=bucket, Prefix=prefix, MaxKeys=1)

    async def _send(self, bucket: str, name: str, body: Body, size: int, expected: Version | None) -> None:  # noqa: ARG002
        request = {**self._fs.s3_additional_kwargs, "Bucket": bucket, "Key": name, "Body": body}
        if expected is None:
            await self._put_object(request, IfNoneMatch="*")
            return
        try:
            await self._put_object(request, IfMatch=expected)
        except Exception as error:
            if not self._is_conflict(error):
                raise
            # Ceph's gateway (16) knows an ETag only without its quotes. If it really is another, this is refused too.
            await self._put_object(request, IfMatch=expected.strip('"'))

    async def _put_object(self, request: dict[str, Any], **condition: str) -> None:
        request["Body"].seek(0)
        try:
            await self._ask("put_object", **request, **(condition if self.conditional_writes else {}))
        except Exception as error:
            status, _ = answer(error)
            if status != 501 or not self.conditional_writes:  # noqa: PLR2004  Not Implemented
                raise
            self.conditional_writes = False
            await self._put_object(request)

    def _is_conflict(self, error: Exception) -> bool:
        """S3 answers 404 where the object of an ETag is gone."""
        _, code = answer(error)
        return code == "NoSuchKey" or super()._is_conflict(error)

    def _version_of(self, info: dict[str, Any]) -> Version:
        return str(info["ETag"])

    async def _ask(self, operation: str, **request: Any) -> None:
        """Ask botocore's client, for a retry of s3fs would send what is left of a body that has been read."""
        await self._fs.set_session()
        client = await self._fs.get_s3(request["Bucket"])
        await getattr(client, operation)(**request)
