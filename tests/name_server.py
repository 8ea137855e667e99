"""A name server on loopback that says what a test wants, about TXT records alone."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset


@dataclass
class NameServer:
    """What it answers: texts by name (without the dot at the end), or a failure; `asked` are the names it heard."""

    address: str = ""
    texts: dict[str, list[str]] = field(default_factory=dict)
    fails: bool = False
    asked: list[str] = field(default_factory=list)

    def answer(self, query: bytes) -> bytes:
        asked = dns.message.from_wire(query)
        answer = dns.message.make_response(asked)
        answer.flags |= dns.flags.RA
        name = asked.question[0].name
        text = name.to_text().rstrip(".").lower()
        self.asked.append(text)
        if self.fails:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif text not in self.texts:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif self.texts[text]:
            quoted = [f'"{one}"' for one in self.texts[text]]
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", *quoted))
        return answer.to_wire()


@contextmanager
def serving_names() -> Iterator[NameServer]:
    """Serve names on a free port until the block ends; in a thread, since tests wait for processes meanwhile."""
    names = NameServer()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, sock = self.request
            sock.sendto(names.answer(data), self.client_address)

    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler) as server:
        address: Any = server.server_address
        names.address = f"127.0.0.1:{address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield names
        finally:
            server.shutdown()
            thread.join()
