"""What can go wrong with channels and proposals."""

from hub.kit.problems import Problem


class ProposalSettled(Problem):
    """This channel is a sensor already."""

    status = 409
    detail = "It is {sensor!r}. Ignore the channel first if that was a mistake, then accept it anew."


class SensorOfAnother(Problem):
    """Another edge agent sends for this sensor."""

    status = 409
    detail = "Take {sensor!r} from its edge agent first, or make a new sensor of this channel."


class ProposalsUnavailable(Problem):
    """What this device sends anew cannot be kept now."""

    status = 503
    detail = "Channels that are known go on. Keep the batch and send it again. {why}"

    def __init__(self, why: str = "") -> None:
        """Say why in words."""
        super().__init__(why=why, headers={"Retry-After": "2"})


class TooManyLarge(Problem):
    """Too many large bodies came at once."""

    status = 503
    detail = "Keep the batch and send it again, or send smaller ones."

    def __init__(self) -> None:
        """Say when to come back."""
        super().__init__(headers={"Retry-After": "2"})


class AddressTokensOff(Problem):
    """This hub takes no token in an address."""

    status = 403
    detail = "ETP_TOKENS_IN_ADDRESSES is off. Send the token as 'Authorization: Bearer …' to another of the formats."


class WrongMeasurements(Problem):
    """The body cannot be read."""

    status = 400
    detail = "{why}. Nothing of this body was taken."
