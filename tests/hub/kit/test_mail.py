"""Letters reach a real SMTP conversation, or a file that only this user may read."""

import asyncio
import stat
from collections.abc import AsyncIterator
from email import message_from_bytes
from pathlib import Path

import pytest

from hub.kit.mail import Letter, MailFailed, Outbox, Smtp

LETTER = Letter("ada@example.com", "A new password – soon", "Hello Ада,\n\n.\n..\nhere\n")


class Server:
    """Speaks SMTP; keeps what it was sent, refuses recipients when told to."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.refuses = False
        self.port = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 test\r\n")
        while line := await reader.readline():
            match line.split()[0].upper():
                case b"EHLO":
                    writer.write(b"250 test\r\n")
                case b"RCPT" if self.refuses:
                    writer.write(b"450 later\r\n")
                case b"DATA":
                    writer.write(b"354 go on\r\n")
                    self.received.append(await reader.readuntil(b"\r\n.\r\n"))
                    writer.write(b"250 taken\r\n")
                case b"QUIT":
                    writer.write(b"221 bye\r\n")
                    break
                case _:
                    writer.write(b"250 ok\r\n")
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    listening = await asyncio.start_server(server.talk, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    yield server
    listening.close()
    await listening.wait_closed()


class TestSmtp:
    async def test_sends(self, server: Server) -> None:
        await Smtp(f"smtp+plain://127.0.0.1:{server.port}", "etp@example.com").send(LETTER)
        message = message_from_bytes(server.received[0].removesuffix(b".\r\n"))
        assert (message["From"], message["To"]) == ("etp@example.com", "ada@example.com")

    async def test_refused_is_worth_another_try(self, server: Server) -> None:
        server.refuses = True
        with pytest.raises(MailFailed):
            await Smtp(f"smtp+plain://127.0.0.1:{server.port}", "etp@example.com").send(LETTER)

    async def test_nobody_there(self, free_port: int) -> None:
        with pytest.raises(MailFailed):
            await Smtp(f"smtp+plain://127.0.0.1:{free_port}", "etp@example.com").send(LETTER)

    async def test_never_unencrypted_unless_told_so(self, server: Server) -> None:
        with pytest.raises(MailFailed):
            await Smtp(f"smtp://127.0.0.1:{server.port}", "etp@example.com").send(LETTER)
        assert server.received == []

    @pytest.mark.parametrize("url", ["http://host", "smtp://", "host:25"])
    def test_bad_address(self, url: str) -> None:
        with pytest.raises(ValueError, match="ETP_SMTP_URL"):
            Smtp(url, "etp@example.com")


class TestOutbox:
    async def test_a_file_each_for_this_user_only(self, tmp_path: Path) -> None:
        outbox = Outbox(tmp_path / "outbox", "etp@example.com")
        await asyncio.gather(*(outbox.send(LETTER) for _ in range(5)))
        files = sorted((tmp_path / "outbox").iterdir())
        assert [file.name for file in files] == [f"00000{n}.eml" for n in range(1, 6)]
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        message = message_from_bytes(files[0].read_bytes())
        content = message.get_payload(decode=True)
        assert isinstance(content, bytes)
        assert content.decode() == LETTER.body


@pytest.mark.parametrize("field", ["to", "subject"])
def test_line_breaks_are_refused(field: str) -> None:
    letter = Letter(**{"to": "a@example.com", "subject": "s", "body": "b"} | {field: "x\r\nBcc: everybody@example.com"})
    with pytest.raises(ValueError):  # noqa: PT011 - the library's own words
        letter.message("etp@example.com")


def test_encodes_and_decodes() -> None:
    assert Letter.decode(LETTER.encode()) == LETTER
