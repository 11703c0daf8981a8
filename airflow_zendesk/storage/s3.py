"""Store in an S3 bucket, or in an S3-compatible one."""

import logging
from io import BytesIO
from typing import Any

from airflow_zendesk.exceptions import SliceChangedError, StorageError
from airflow_zendesk.storage.bucket import Body, BucketStore
from airflow_zendesk.storage.errors import status_and_code
from airflow_zendesk.storage.store import Version

logger = logging.getLogger(__name__)

_NOT_IMPLEMENTED = 501
#: https://docs.aws.amazon.com/sdkref/latest/guide/feature-dataintegrity.html
_NO_CHECKSUMS = {"request_checksum_calculation": "when_required"}
_CHECKSUM_ADVICE = (
    "This storage does not accept the checksums that botocore adds to every upload; without them the upload works. "
    'Switch them off in the extra of the AWS connection: "extra": {"config_kwargs": {"request_checksum_calculation": '
    '"when_required"}}, in addition to its other keys.'
)


class S3Store(BucketStore):
    """A bucket, accessed with s3fs.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    """

    precondition = "If-None-Match, and If-Match with the ETag"
    #: https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html
    max_put_bytes = 5 * 2**30
    _conflict_codes = frozenset({"NoSuchKey"})  # there is no object to compare with the ETag

    def explain_refusal(self, key: str) -> str | None:
        """Write a few bytes without botocore's default checksums; if that works, return how to switch them off."""
        config = self._fs.config_kwargs
        if config.items() >= _NO_CHECKSUMS.items():
            return None
        fs = type(self._fs)(**self._fs.storage_options | {"config_kwargs": config | _NO_CHECKSUMS})
        fs.s3_additional_kwargs = self._fs.s3_additional_kwargs
        plain = S3Store(fs, self._root, self._uri)
        content = b"without checksums"
        try:
            plain.put(key, BytesIO(content), plain.version(key))
            return _CHECKSUM_ADVICE if plain.read(key) == content else None
        except (StorageError, SliceChangedError):
            return None

    async def _list_one(self, bucket: str, prefix: str) -> None:
        await self._call("list_objects_v2", Bucket=bucket, Prefix=prefix, MaxKeys=1)

    async def _send(self, bucket: str, name: str, body: Body, size: int, expected: Version | None) -> None:  # noqa: ARG002
        request = {**self._fs.s3_additional_kwargs, "Bucket": bucket, "Key": name, "Body": body}
        if self.conditional_writes:
            try:
                await self._put_on_condition(request, expected)
            except Exception as error:
                if status_and_code(error)[0] != _NOT_IMPLEMENTED:
                    raise
            else:
                return
        # Either conditions are not implemented or something else in the request: only the latter is refused again.
        if await self._stored_etag(bucket, name) != expected:
            raise SliceChangedError(self._uri)
        await self._put(request)
        if self.conditional_writes:
            logger.warning(
                "%s does not implement conditional writes (501): from now on versions are compared shortly before a "
                "write. Run one export of a dataset at a time.",
                self._uri,
            )
            self.conditional_writes = False

    async def _put_on_condition(self, request: dict[str, Any], expected: Version | None) -> None:
        if expected is None:
            await self._put({**request, "IfNoneMatch": "*"})
            return
        try:
            await self._put({**request, "IfMatch": expected})
        except Exception as error:
            if not self._is_conflict(error):
                raise
            # Ceph's gateway (16) recognizes an ETag only without its quotes; a real conflict is refused again.
            await self._put({**request, "IfMatch": expected.strip('"')})

    async def _put(self, request: dict[str, Any]) -> None:
        request["Body"].seek(0)
        await self._call("put_object", **request)

    async def _stored_etag(self, bucket: str, name: str) -> Version | None:
        try:
            return self._version_of(await self._call("head_object", Bucket=bucket, Key=name))
        except Exception as error:
            if status_and_code(error)[0] == 404:  # noqa: PLR2004  Not Found
                return None
            raise

    def _version_of(self, info: dict[str, Any]) -> Version:
        return str(info["ETag"])

    async def _call(self, operation: str, **request: Any) -> dict[str, Any]:
        """Call botocore's client directly, because a retry by s3fs would send the rest of a body already read."""
        await self._fs.set_session()
        client = await self._fs.get_s3(request["Bucket"])
        response: dict[str, Any] = await getattr(client, operation)(**request)
        return response
