"""The storage account's half of the fake: blobs in containers."""

from __future__ import annotations

from xml.sax.saxutils import escape

from fake_state import Blob, State
from fake_wire import Answer, Refusal, Request, blob_error

DATE = "Tue, 24 Nov 2026 12:00:00 GMT"
HEAD = {"Last-Modified": DATE, "ETag": '"0x8DE"', "x-ms-version": "2025-01-05", "x-ms-request-server-encrypted": "true"}


class Blobs:
    """Answers the requests to ACCOUNT.blob.core.windows.net."""

    def __init__(self, state: State) -> None:
        self.state = state

    def find(self, request: Request) -> Blob:
        found = self.state.blobs.get(request.path)
        if found is None:
            raise Refusal(blob_error(404, "BlobNotFound", "The specified blob does not exist."))
        return found

    def head(self, request: Request) -> Answer:
        blob = self.find(request)
        named = {f"x-ms-meta-{name}": value for name, value in blob.metadata.items()}
        size = {"Content-Length": str(len(blob.content)), "x-ms-blob-type": "BlockBlob"}
        return Answer(200, b"", {**HEAD, **size, **named})

    def get(self, request: Request) -> Answer:
        content = self.find(request).content
        span = {"Content-Range": f"bytes 0-{len(content) - 1}/{len(content)}"}
        return Answer(206, content, {**HEAD, **span, "x-ms-blob-type": "BlockBlob"})

    def put(self, request: Request) -> Answer:
        self.state.blobs[request.path] = Blob(request.body)
        return Answer(201, b"", HEAD)

    def metadata(self, request: Request) -> Answer:
        named = {name[10:]: value for name, value in request.headers.items() if name.lower().startswith("x-ms-meta-")}
        self.find(request).metadata = named
        return Answer(200, b"", HEAD)

    def delete(self, request: Request) -> Answer:
        self.find(request)
        del self.state.blobs[request.path]
        return Answer(202, b"", HEAD)

    def list(self, request: Request) -> Answer:
        inside = f"{request.path.rstrip('/')}/"
        prefix = inside + request.query.get("prefix", "")
        names = sorted(path[len(inside) :] for path in self.state.blobs if path.startswith(prefix))
        rows = "".join(f"<Blob><Name>{escape(name)}</Name><Properties /></Blob>" for name in names)
        found = f"<EnumerationResults><Blobs>{rows}</Blobs><NextMarker /></EnumerationResults>"
        text = f'<?xml version="1.0" encoding="utf-8"?>{found}'
        return Answer(200, text.encode(), {**HEAD, "Content-Type": "application/xml"})
