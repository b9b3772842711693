"""Two ends that show one another their certificates."""

import asyncio
import tempfile
from pathlib import Path

import trustme  # in the place of whoever issues your certificates

from ampgen.runtime import client_tls, current_call, serve, server_tls
from textpkg.repeat import RepeaterClient, RepeaterServer, RepeatResult


class Repeater(RepeaterServer):
    def repeat(self, text: str, times: int) -> RepeatResult:
        certificate = current_call().peer_certificate
        assert certificate is not None  # the server asks for one
        print(f"called by {certificate['subjectAltName']}")
        return RepeatResult(text=text * times)


def issue(folder: Path) -> None:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(folder / "ca.pem")
    for name, holder in (
        ("server.pem", "localhost"),
        ("client.pem", "ada@example.com"),
    ):
        issued = ca.issue_cert(holder).private_key_and_cert_chain_pem
        issued.write_to_path(folder / name)


async def main(folder: Path) -> None:
    issue(folder)
    ours = server_tls(folder / "server.pem", client_ca=folder / "ca.pem")
    theirs = client_tls(folder / "ca.pem", certificate=folder / "client.pem")
    async with (
        serve("127.0.0.1:0", Repeater(), tls=ours) as server,
        RepeaterClient.connect(
            server.addresses[0], tls=theirs, server_hostname="localhost"
        ) as repeater,
    ):
        answer = await repeater.repeat("abc", times=3)
        print(f"{answer.text}, encrypted: {repeater.connection.is_encrypted}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(main(Path(folder)))
