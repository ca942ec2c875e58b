"""Stored files in S3 or MinIO (extra ``s3``), under the same signed addresses: the bucket stays private."""

from storages.backends.s3 import S3Storage

from rld_platform.media import SignedUrls


class SignedS3Storage(SignedUrls, S3Storage):
    """The web process streams the files, so browsers need no way to the bucket."""
