"""A network that is slow: what goes between page and server, each way, arrives later."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

CHUNK = 1 << 16  # bytes
ROUND_TRIP = """async (times) => {
  const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
  const took = [];
  while (took.length < times) {
    const begin = performance.now();
    await kernel.requestKernelInfo();
    took.push(performance.now() - begin);
  }
  return took.sort((a, b) => a - b)[times >> 1];
}"""


def round_trip(page: Any, times: int = 5) -> float:
    """Milliseconds from a message of the page to the kernel's answer, the median: the proof of a delay."""
    return float(page.evaluate(ROUND_TRIP, times))


@contextmanager
def delayed(url: str, milliseconds: float) -> Iterator[str]:
    """An address for the server at ``url`` through which every byte takes ``milliseconds`` more, in either direction.

    Bytes keep their order and none waits for another, as on a long line. It delays websockets and all else that the
    page loads. The emulation of the browser's own tools leaves websockets alone.
    """
    if not milliseconds:
        yield url
        return
    server = urlsplit(url)
    loop, ready = asyncio.new_event_loop(), threading.Event()
    ports: list[int] = []

    async def listen() -> None:
        async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            there, back = await asyncio.open_connection(server.hostname, server.port)
            late = milliseconds / 1000
            with suppress(ConnectionError):
                await asyncio.gather(_carry(reader, back, late), _carry(there, writer, late))

        proxy = await asyncio.start_server(connect, "127.0.0.1", 0)
        ports.append(proxy.sockets[0].getsockname()[1])
        ready.set()

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    loop.call_soon_threadsafe(lambda: loop.create_task(listen()))
    ready.wait(10)
    try:
        yield f"http://127.0.0.1:{ports[0]}{server.path}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, late: float) -> None:
    """Write what is read, each piece ``late`` seconds after it came."""
    clock = asyncio.get_running_loop()
    pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def deliver() -> None:
        while True:
            due, piece = await pieces.get()
            await asyncio.sleep(max(0, due - clock.time()))
            if not piece:
                break
            writer.write(piece)
            await writer.drain()
        writer.close()

    delivery = clock.create_task(deliver())
    piece = b"more"
    while piece:
        piece = await reader.read(CHUNK)
        pieces.put_nowait((clock.time() + late, piece))
    await delivery
