"""The retail benchmark's names, in our tools' words: the one adapter between them."""

from collections.abc import Mapping
from typing import Any

from helpline.errors import ToolError


def lookup_of(action: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """The verification that an action stands for, if it is one."""
    given = action["arguments"]
    match action["name"]:
        case "find_user_id_by_email":
            return "verify_by_email", {"email": given["email"]}
        case "find_user_id_by_name_zip":
            return "verify_by_name_and_postcode", {
                "first_name": given["first_name"],
                "last_name": given["last_name"],
                "postcode": given["zip"],
            }
    return None


def call_of(action: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Our tool and its arguments for an action; None for one that no shop knows (arithmetic)."""
    given = action["arguments"]
    match action["name"]:
        case "get_user_details":
            return "get_customer_info", {}
        case "get_order_details":
            return "check_order_status", {"order_id": given["order_id"]}
        case "get_product_details":
            return "get_product_info", {"product": given["product_id"]}
        case "get_item_details":
            return "get_product_info", {"product": given["item_id"]}
        case "list_all_product_types":
            return "search_products", {"query": "shop"}
        case "cancel_pending_order":
            return "cancel_order", {"order_id": given["order_id"], "reason": given["reason"]}
        case "return_delivered_order_items":
            return "process_return", {
                "order_id": given["order_id"],
                "items": [{"item": item} for item in given["item_ids"]],
                "refund_to": given["payment_method_id"],
            }
        case "exchange_delivered_order_items":
            return "exchange_items", _swapped(given)
        case "modify_pending_order_items":
            return "change_order_items", _swapped(given)
        case "modify_pending_order_address":
            return "change_order_address", {"order_id": given["order_id"], "address": _address(given)}
        case "modify_pending_order_payment":
            return "change_order_payment", {
                "order_id": given["order_id"],
                "pay_with": given["payment_method_id"],
            }
        case "modify_user_address":
            return "update_account_info", {"address": _address(given)}
        case "transfer_to_human_agents":
            return "transfer_to_person", {"summary": given["summary"]}
        case "calculate" | "think":
            return None
    raise ToolError("No shop knows that.", reason=f"unmapped:{action['name']}")


def _swapped(given: Mapping[str, Any]) -> dict[str, Any]:
    if len(given["item_ids"]) != len(given["new_item_ids"]):
        raise ToolError("Each item needs one that it becomes.", reason="unequal_items")
    pairs = zip(given["item_ids"], given["new_item_ids"], strict=True)
    return {
        "order_id": given["order_id"],
        "items": [{"item": old, "new_item": new} for old, new in pairs],
        "pay_with": given["payment_method_id"],
    }


def _address(given: Mapping[str, Any]) -> dict[str, str]:
    return {
        "street": given["address1"],
        "apartment": given["address2"],
        "city": given["city"],
        "state": given["state"],
        "postcode": given["zip"],
        "country": given["country"],
    }


def owner_of(tasks_action: Mapping[str, Any], shop: Mapping[str, Any]) -> dict[str, Any] | None:
    """The user whom an action is about: the owner of the order that it names, or the user it names."""
    given = tasks_action["arguments"]
    order = shop["orders"].get(given.get("order_id", ""))
    user_id = order["user_id"] if order else given.get("user_id", "")
    user: dict[str, Any] | None = shop["users"].get(user_id)
    return user


def changes(before: Any, after: Any, path: str = "") -> dict[str, list[Any]]:
    """What differs, path by path, as [before, after]; a list is one value, a missing one is None."""
    if isinstance(before, dict) and isinstance(after, dict):
        found: dict[str, list[Any]] = {}
        for key in sorted(before.keys() | after.keys()):
            found |= changes(before.get(key), after.get(key), f"{path}/{key}")
        return found
    return {} if before == after else {path: [before, after]}
