"""What can go wrong on the way in and out of the telemetry store."""

from hub.kit.problems import Problem


class TelemetryBroken(Problem):
    """The body is not JSON."""

    status = 400
    detail = "{why}. Nothing of this body was taken."


class BadCompression(Problem):
    """The body does not decompress."""

    status = 400
    detail = "Send Content-Encoding: gzip only with a gzip stream, or none. {why}"


class UnknownEncoding(Problem):
    """This Content-Encoding is not taken."""

    status = 415
    detail = "Send gzip or no Content-Encoding."


class PacketTooLarge(Problem):
    """The packet is too large."""

    status = 413
    detail = "{what}. Split it: at most {samples} samples and {size} bytes after decompression."


class TokenUnknown(Problem):
    """This device token is not known."""

    status = 401
    detail = "Send the token of a sensor or an edge agent as 'Authorization: Bearer …'."

    def __init__(self) -> None:
        """Name the scheme."""
        super().__init__(headers={"WWW-Authenticate": "Bearer"})


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
