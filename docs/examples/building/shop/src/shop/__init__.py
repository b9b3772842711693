"""A package whose client is made of a schema when it is built."""

from shop.rpc import OrdersClient

__all__ = ["OrdersClient"]
