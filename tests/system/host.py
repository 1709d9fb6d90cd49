# The host's side of the network tests: small TCP servers that a machine reaches through QEMU's user network.
import hashlib
import os
import socket
import threading


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


class Server:
    """Listens on a free port of the host until the block ends, and serves each caller in a thread."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                wire, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(wire,), daemon=True).start()

    def serve(self, wire: socket.socket) -> None:
        raise NotImplementedError

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self.socket.close()


class Source(Server):
    """Sends the same random data to whoever calls."""

    def __init__(self, size: int) -> None:
        self.data = os.urandom(size)
        self.sum = md5(self.data)
        super().__init__()

    def serve(self, wire: socket.socket) -> None:
        with wire:
            wire.sendall(self.data)


class Sink(Server):
    """Takes what each caller sends; `take()` gives the md5 of the next finished call."""

    def __init__(self) -> None:
        self.sums: list[str] = []
        self.done = threading.Semaphore(0)
        super().__init__()

    def serve(self, wire: socket.socket) -> None:
        digest = hashlib.md5()
        with wire:
            while data := wire.recv(1 << 16):
                digest.update(data)
        self.sums.append(digest.hexdigest())
        self.done.release()

    def take(self, timeout: float = 30) -> str:
        assert self.done.acquire(timeout=timeout), "no caller finished sending"
        return self.sums.pop(0)
