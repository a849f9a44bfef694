"""The door by itself: which names and origins it knows."""

import pytest

from helpline.channels.web.guard import Guard, address_of
from helpline.clock import SystemClock


async def ask(guard, kind="http", method="GET", client="10.0.0.9", **headers):
    """What the door sends to a request with these headers."""
    sent = []
    scope = {
        "type": kind,
        "method": method,
        "path": "/",
        "client": (client, 1),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    await guard(scope, receive, send)
    return sent[0]


async def inside(scope, receive, send):
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
    else:
        await send({"type": "http.response.start", "status": 200, "headers": []})


def door(*, loopback=False, origins=()):
    return Guard(inside, clock=SystemClock(), loopback=loopback, origins=origins)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8000", 200),
        ("127.0.0.1", 200),
        ("[::1]:8000", 200),
        ("evil.example", 403),
        ("", 403),
        ("[::1", 403),
        ("localhost.evil.example", 403),
    ],
)
async def test_a_desk_on_this_machine_goes_by_this_machines_names(host, status):
    assert (await ask(door(loopback=True), host=host, client="127.0.0.1"))["status"] == status


@pytest.mark.parametrize(
    ("client", "status"),
    [("127.0.0.1", 200), ("::1", 200), ("::ffff:127.0.0.1", 200), ("10.0.0.9", 403), ("2001:db8::1", 403)],
)
async def test_a_desk_on_this_machine_answers_no_other_machine_in_whatever_server_it_runs(client, status):
    assert (await ask(door(loopback=True), host="localhost", client=client))["status"] == status


@pytest.mark.parametrize(
    ("host", "status"), [("desk.example.com", 200), ("localhost", 200), ("evil.example", 403)]
)
async def test_a_desk_with_a_name_goes_by_that_name(host, status):
    assert (await ask(door(origins=["https://desk.example.com"]), host=host))["status"] == status


async def test_a_desk_on_a_network_without_a_name_answers_to_any():
    assert (await ask(door(), host="10.0.0.7:8000"))["status"] == 200


@pytest.mark.parametrize(
    ("origin", "kind"),
    [
        ("https://desk.example.com", "websocket.accept"),
        ("http://localhost:8000", "websocket.accept"),
        ("http://localhost:9000", "websocket.close"),
        ("https://evil.example", "websocket.close"),
        ("null", "websocket.close"),
        ("", "websocket.close"),
    ],
)
async def test_sockets_come_from_the_page_alone(origin, kind):
    guard = door(origins=["https://desk.example.com"])
    assert (await ask(guard, "websocket", host="localhost:8000", origin=origin))["type"] == kind


async def test_looking_needs_no_origin():
    assert (await ask(door(), host="x", origin="https://evil.example"))["status"] == 200


async def test_an_address_that_opens_sockets_too_fast_is_refused():
    guard = door()
    opened = [(await ask(guard, "websocket", host="x"))["type"] for _ in range(60)]
    assert opened[0] == "websocket.accept"
    assert opened[-1] == "websocket.close"
    assert (await ask(guard, "websocket", host="x", client="10.0.0.10"))["type"] == "websocket.accept"


@pytest.mark.parametrize(
    ("client", "address"),
    [
        (("203.0.113.9", 1), "203.0.113.9"),
        (("::ffff:203.0.113.9", 1), "203.0.113.9"),
        (("2001:db8:1:2:3:4:5:6", 1), "2001:db8:1:2::/64"),
        (("127.0.0.1", 1), ""),
        (("::1", 1), ""),
        (("a name", 1), ""),
        (None, ""),
    ],
)
def test_an_address_is_where_the_customer_is(client, address):
    """A proxy on this machine that does not say whom it stands for is nobody's address."""
    assert address_of({"asgi.scope": {"client": client}}) == address
