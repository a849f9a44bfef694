"""The shop's records, the proposals and the ledger, on SQLite or Postgres."""

from helpline.store.shop import ChangeRequest, Shop, SqlShop
from helpline.store.store import Store

__all__ = ["ChangeRequest", "Shop", "SqlShop", "Store"]
