"""A small synchronous client of the gateway's HTTP API; needs nothing but the standard library."""

from captchad.client.gateway import GatewayClient

__all__ = ["GatewayClient"]
