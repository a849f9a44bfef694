"""How much may be asked in a while."""

from helpline.channels.web.limits import Addresses, Allowance


def test_a_burst_is_allowed_and_then_the_rate():
    allowance = Allowance(burst=3, per_s=1)
    assert [allowance.take(0) for _ in range(4)] == [True, True, True, False]
    assert not allowance.take(900)
    assert allowance.take(1900)


def test_a_long_rest_earns_no_more_than_the_burst():
    allowance = Allowance(burst=2, per_s=1)
    allowance.take(0)
    assert [allowance.take(3_600_000) for _ in range(3)] == [True, True, False]


def test_what_is_refused_costs_nothing():
    allowance = Allowance(burst=10, per_s=0)
    assert not allowance.take(0, 11)
    assert allowance.take(0, 10)


def test_each_address_has_its_own():
    addresses = Addresses(burst=1, per_s=0)
    assert addresses.take("a", 0)
    assert not addresses.take("a", 0)
    assert addresses.take("b", 0)


def test_only_so_many_addresses_are_remembered():
    addresses = Addresses(burst=1, per_s=0, remembered=2)
    for address in ("a", "b", "c"):
        addresses.take(address, 0)
    assert not addresses.take("c", 0)
    assert addresses.take("a", 0), "the longest unseen is forgotten first"
