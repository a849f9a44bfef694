"""A shop comes in and goes out by the command line, and a file that is wrong says where."""

import copy
import json

import pytest
from click.testing import CliRunner

from helpline.cli import main

ADDRESS = {
    "address1": "1 Mill Lane",
    "address2": "",
    "city": "Austin",
    "state": "TX",
    "zip": "78701",
    "country": "USA",
}
SHOP = {
    "products": {
        "p1": {
            "name": "Lamp",
            "product_id": "p1",
            "variants": {
                "v1": {"item_id": "v1", "options": {"colour": "red"}, "available": True, "price": 20.5},
                "v2": {"item_id": "v2", "options": {"colour": "blue"}, "available": False, "price": 22},
            },
        }
    },
    "users": {
        "ann_1": {
            "user_id": "ann_1",
            "name": {"first_name": "Ann", "last_name": "Lee"},
            "address": ADDRESS,
            "email": "ann@example.com",
            "payment_methods": {
                "card_1": {"source": "credit_card", "id": "card_1", "brand": "visa", "last_four": "4242"}
            },
            "orders": ["#W1"],
        }
    },
    "orders": {
        "#W1": {
            "order_id": "#W1",
            "user_id": "ann_1",
            "address": ADDRESS,
            "items": [
                {
                    "name": "Lamp",
                    "product_id": "p1",
                    "item_id": "v1",
                    "price": 20.5,
                    "options": {"colour": "red"},
                }
            ],
            "fulfillments": [],
            "status": "pending",
            "payment_history": [
                {"transaction_type": "payment", "amount": 20.5, "payment_method_id": "card_1"}
            ],
        }
    },
}


@pytest.fixture
def helpline(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str):
        return CliRunner().invoke(main, arguments, env={"HELPLINE_BACKENDS": "engine"})

    return run


@pytest.fixture
def file(tmp_path):
    def write(content: object):
        path = tmp_path / "shop.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    return write


def test_what_came_in_goes_out_again(helpline, file, tmp_path):
    came = helpline("shop", "import", file(SHOP), "--format", "retail")
    assert came.exit_code == 0, came.output
    assert came.output.startswith("1 customers, 1 orders, 1 products and 2 variants are in sqlite://")
    assert json.loads(helpline("shop", "export", "--format", "retail").output) == SHOP
    assert helpline("shop", "export", "--format", "retail", "--out", "again.json").exit_code == 0
    assert json.loads((tmp_path / "again.json").read_text()) == SHOP


def test_a_second_shop_is_not_poured_into_the_first(helpline, file):
    path = file(SHOP)
    helpline("shop", "import", path, "--format", "retail")
    again = helpline("shop", "import", path, "--format", "retail")
    assert again.exit_code == 1
    assert "HELPLINE_DATABASE_URL" in again.stderr


def without(path: str, *keys: str):
    content = copy.deepcopy(SHOP)
    where = content
    for key in keys[:-1]:
        where = where[key]
    del where[keys[-1]]
    return pytest.param(content, path, id=".".join(keys))


def having(path: str, value: object, *keys: str):
    content = copy.deepcopy(SHOP)
    where = content
    for key in keys[:-1]:
        where = where[key]
    where[keys[-1]] = value
    return pytest.param(content, path, id=f"{'.'.join(map(str, keys))}={value}")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param("{", "line 1", id="cut off"),
        pytest.param("[1]", "one JSON object", id="a list"),
        without("the file has no products", "products"),
        without("order #W1 has no items", "orders", "#W1", "items"),
        without("user ann_1 has no email", "users", "ann_1", "email"),
        without("user ann_1 has no order #W1 in orders", "orders", "#W1"),
        having(
            "order #W1 has a value of the wrong kind", "much", "orders", "#W1", "payment_history", 0, "amount"
        ),
        having("product p1 has a value of the wrong kind", True, "products", "p1", "variants", "v1", "price"),
        having("user ann_1 has a value of the wrong kind", "ben_2", "orders", "#W1", "user_id"),
        having("contradicts itself", "v1", "products", "p1", "variants", "v2", "item_id"),
    ],
)
def test_a_file_that_is_wrong_says_where_and_nothing_comes_in(helpline, file, content, words):
    refused = helpline("shop", "import", file(content), "--format", "retail")
    assert refused.exit_code == 1
    assert words in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert json.loads(helpline("shop", "export", "--format", "retail").output)["users"] == {}
