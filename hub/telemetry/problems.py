"""What can go wrong on the way in and out of the telemetry store."""

import math
from collections.abc import Sequence

from hub.kit.problems import Problem


class TelemetryBroken(Problem):
    """The body is not what its Content-Type says."""

    status = 400
    detail = "{why}. Nothing of this body was taken."


class BadCompression(Problem):
    """The body does not decompress."""

    status = 400
    detail = "Say Content-Encoding: gzip or zstd only of a body that is one such stream, else none. {why}"


class UnknownEncoding(Problem):
    """This Content-Encoding is not taken."""

    status = 415
    detail = "Send gzip, zstd or no Content-Encoding."

    def __init__(self) -> None:
        """Name what is taken, as RFC 9110 has it."""
        super().__init__(headers={"Accept-Encoding": "gzip, zstd, identity"})


class UnknownMediaType(Problem):
    """This Content-Type is not taken."""

    status = 415
    detail = "Send application/json, application/x-ndjson (a packet on each line) or application/msgpack."

    def __init__(self) -> None:
        """Name what is taken, as RFC 9110 has it."""
        super().__init__(headers={"Accept": "application/json, application/x-ndjson, application/msgpack"})


class PacketTooLarge(Problem):
    """The packet is too large."""

    status = 413
    detail = "{what}. Split it: at most {samples} samples and {size} bytes after decompression."

    def __init__(self, what: str, samples: int, size: int, sensors: Sequence[int] = ()) -> None:
        """Say what is too large; `sensors` are the numbers of those it names, as far as it was read."""
        self.sensors = sensors
        super().__init__(what=what, samples=samples, size=size)


class TokenUnknown(Problem):
    """This device token is not known."""

    status = 401
    detail = "Send the token of a sensor or an edge agent as 'Authorization: Bearer …'."

    def __init__(self) -> None:
        """Name the scheme."""
        super().__init__(headers={"WWW-Authenticate": "Bearer"})


class TokenExpired(TokenUnknown):
    """This device token is good no more."""

    detail = "It has ended, or another one took its place. Ask an owner of the project for one that is good."


class TokensUnavailable(Problem):
    """Tokens cannot be checked while the database is away."""

    status = 503
    detail = "Keep the batch and send it again."

    def __init__(self) -> None:
        """Say when to come back."""
        super().__init__(headers={"Retry-After": "2"})


class StreamUnavailable(Problem):
    """The batch cannot be made durable now."""

    status = 503
    detail = "Nothing of it is lost if you keep it: send it again. {why}"

    def __init__(self, why: str = "") -> None:
        """Say why in words."""
        super().__init__(why=why, headers={"Retry-After": "2"})


class StreamUnread(Problem):
    """What waits in the stream cannot be read now."""

    status = 503
    detail = "{why} Repeat the request in a few seconds."

    def __init__(self, why: str) -> None:
        """Say in a sentence what cannot be answered without it."""
        super().__init__(why=why, headers={"Retry-After": "2"})


class TooManySamples(Problem):
    """Too many samples."""

    status = 429
    detail = (
        "Nothing of it was taken: keep it and send it again in {wait_s} seconds. {per_s:g} a second are taken of {of}."
    )

    def __init__(self, wait_s: float, per_s: float, of: str, sensors: Sequence[int]) -> None:
        """Say how long to wait; `of` says what sends too fast, `sensors` are the numbers of those that have to wait."""
        self.wait_s = wait_s
        self.sensors = sensors
        whole = max(1, math.ceil(wait_s))
        super().__init__(wait_s=whole, per_s=per_s, of=of, headers={"Retry-After": str(whole)})

    def pause(self, number: int) -> str:
        """Say what it means over a connection that stands: there the batch is kept for the sender, not refused."""
        rate = "{per_s:g} a second are taken of {of}.".format(**self.facts)
        return f"Batch {number} waits here and is acknowledged later: do not send it again. {rate}"


class WebSocketWanted(Problem):
    """Telemetry is read nowhere here, but taken over a WebSocket."""

    status = 426
    detail = (
        "Send a packet by POST, or connect with a WebSocket client. Samples are read at /api/v1/sensors/{{id}}/samples."
    )

    def __init__(self) -> None:
        """Name the protocol."""
        super().__init__(headers={"Upgrade": "websocket", "Connection": "Upgrade"})


class StreamPacked(Problem):
    """A stream is not taken compressed."""

    status = 415
    detail = "Leave Content-Encoding out: lines are acknowledged as they come. POST /telemetry takes gzip and zstd."


class StreamIdle(Problem):
    """Nothing came for long."""

    status = 408
    detail = (
        "All that came is acknowledged; after {idle_s:g} idle seconds a stream ends. Open another when there is more."
    )


class HubStopping(Problem):
    """The hub is stopping."""

    status = 503
    detail = "Open another stream, and send again what was not acknowledged."


class RangeTooLarge(Problem):
    """This range holds too many samples for one answer."""

    status = 422
    detail = "It holds {total} samples, {limit} are given at once. Narrow from/to, or export as CSV."


class SensorNotCaptured(Problem):
    """This sensor is not part of the capture."""

    status = 404
    detail = "Name one of the capture's sensors in sensor_id."


class NoVectors(Problem):
    """This sensor's samples are numbers."""

    status = 409
    detail = "It was registered without an axis; read its samples instead."


class RevisionUnknown(Problem):
    """The capture has no such revision."""

    status = 404
    detail = "There is no revision {revision}; the newest is {newest}, 1 is what was stored as the samples came."
