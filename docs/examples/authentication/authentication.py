"""Two ways to say who calls: a first call for the connection, a token for each call."""

import asyncio

from ampgen.runtime import Unauthenticated, current_call, serve
from ampgen.runtime.interceptors import (
    require_identity,
    same_secret,
    send_token,
    token_identity,
)
from textpkg.vault import Denied, RevealResult, VaultClient, VaultServer

PASSWORDS = {"ada": "analytical engine"}  # a program of yours keeps hashes
TOKENS = {"8f14e45f": "grace"}


class Vault(VaultServer):
    def sign_in(self, name: str, password: str) -> None:
        expected = PASSWORDS.get(name)
        if expected is None or not same_secret(password, expected):
            raise Denied(f"no such name and password: {name}")
        current_call().connection.identity = name

    def reveal(self) -> RevealResult:
        return RevealResult(owner=current_call().identity, secret="42")


async def main() -> None:
    around = [token_identity(TOKENS.get), require_identity(except_for=["Vault.SignIn"])]
    async with serve("127.0.0.1:0", Vault(), interceptors=around) as server:
        address = server.addresses[0]

        async with VaultClient.connect(address) as vault:
            try:
                await vault.reveal()
            except Unauthenticated as error:
                print(f"refused: {error}")
            try:
                await vault.sign_in("ada", "difference engine")
            except Denied as error:
                print(f"denied: {error}")
            await vault.sign_in("ada", "analytical engine")
            print(await vault.reveal())

        token = [send_token("8f14e45f")]
        async with VaultClient.connect(address, interceptors=token) as vault:
            print(await vault.reveal())


if __name__ == "__main__":
    asyncio.run(main())
