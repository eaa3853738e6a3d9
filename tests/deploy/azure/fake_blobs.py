"""The storage account's half of the fake: blobs in containers."""

from __future__ import annotations

from fake_state import Blob, State
from fake_wire import Answer, Refusal, Request, blob_error

DATE = "Tue, 24 Nov 2026 12:00:00 GMT"
HEAD = {"Last-Modified": DATE, "ETag": '"0x8DE"', "x-ms-version": "2025-01-05", "x-ms-request-server-encrypted": "true"}


class Blobs:
    """Answers the requests to ACCOUNT.blob.core.windows.net."""

    def __init__(self, state: State) -> None:
        self.state = state

    def find(self, request: Request) -> Blob:
        blob = self.state.blobs.get(request.path)
        if blob is None:
            raise Refusal(blob_error(404, "BlobNotFound", "The specified blob does not exist."))
        return blob

    def head(self, request: Request) -> Answer:
        blob = self.find(request)
        named = {f"x-ms-meta-{name}": value for name, value in blob.metadata.items()}
        size = {"Content-Length": str(len(blob.content)), "x-ms-blob-type": "BlockBlob"}
        return Answer(200, b"", {**HEAD, **size, **named})

    def put(self, request: Request) -> Answer:
        self.state.blobs[request.path] = Blob(request.body)
        return Answer(201, b"", HEAD)

    def metadata(self, request: Request) -> Answer:
        named = {name[10:]: value for name, value in request.headers.items() if name.lower().startswith("x-ms-meta-")}
        self.find(request).metadata = named
        return Answer(200, b"", HEAD)
