"""What can go wrong with a live connection."""

from hub.kit.problems import Problem


class WebSocketNeeded(Problem):
    """This address speaks WebSocket."""

    status = 426
    detail = 'Connect with a WebSocket client, e.g. new WebSocket("wss://…/api/v1/live").'

    def __init__(self) -> None:
        """Name the protocol."""
        super().__init__(headers={"Upgrade": "websocket", "Connection": "Upgrade"})
