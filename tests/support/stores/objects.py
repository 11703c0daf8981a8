"""Put an object into a bucket as other tools do, under any key: the stores of the package would refuse some."""

import urllib.parse
import urllib.request

import boto3
from azure.storage.blob import BlobServiceClient

from tests.support.stores.servers import BUCKET, StoreServer


def put_object(server: StoreServer, key: str, content: bytes) -> None:
    """Write an object with exactly that key."""
    if server.scheme == "s3":
        boto3.client(
            "s3", endpoint_url=server.url, region_name="us-east-1", aws_access_key_id="invented",
            aws_secret_access_key="invented",
        ).put_object(Bucket=BUCKET, Key=key, Body=content)  # fmt: skip
    elif server.scheme == "abfs":
        extra = server.connection["extra"]
        assert isinstance(extra, dict)
        with BlobServiceClient.from_connection_string(extra["connection_string"]) as client:
            client.get_blob_client(BUCKET, key).upload_blob(content)
    else:
        name = urllib.parse.quote(key, safe="")
        url = f"{server.url}/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name={name}"
        with urllib.request.urlopen(urllib.request.Request(url, data=content, method="POST")):
            pass
