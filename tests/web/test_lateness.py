"""Sound that waited in a buffer is told from sound that is on time."""

from helpline.channels.web.lateness import Lateness


def late(lateness, elapsed, arrivals):
    return [lateness.is_late(e, a) for e, a in zip(elapsed, arrivals, strict=True)]


def test_steady_sound_is_on_time_whatever_the_clocks_say():
    chunks = range(0, 4000, 40)
    assert not any(late(Lateness(), chunks, [chunk + 1_000_000 for chunk in chunks]))


def test_jitter_is_on_time():
    assert not any(late(Lateness(), [0, 40, 80, 120], [50, 400, 410, 415]))


def test_what_a_network_held_back_is_late():
    lateness = Lateness()
    assert not any(late(lateness, range(0, 1000, 40), range(50, 1050, 40)))
    # Four seconds of silence on the line, then all of it at once.
    held = late(lateness, range(1000, 5000, 40), [5000] * 100)
    assert held[0]
    assert not held[-1]
    assert lateness.dropped == sum(held) == 89


def test_sound_is_on_time_again_after_the_burst():
    lateness = Lateness()
    late(lateness, [0, 40], [0, 40])
    late(lateness, range(80, 5000, 40), [5000] * 123)
    assert not any(late(lateness, [5000, 5040], [5002, 5041]))


def test_a_line_that_became_slower_for_good_is_forgiven():
    lateness = Lateness(window_ms=2000)
    late(lateness, range(0, 1000, 40), range(0, 1000, 40))
    slower = late(lateness, range(1000, 9000, 40), range(2000, 10_000, 40))
    assert slower[0]
    assert not slower[-1]


def test_a_microphone_that_is_opened_anew_starts_its_clock_anew():
    lateness = Lateness()
    late(lateness, [50_000], [50_000])
    lateness.restart()
    assert not lateness.is_late(0, 51_000)
