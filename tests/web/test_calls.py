"""A page and its call over real sockets, with a scripted desk: no browser."""

import dataclasses

import pytest
import socketio

from helpline.call.shown import Caption, Notice, StateShown
from helpline.channels.web.app import create_app
from helpline.errors import BackendError
from tests.web.client import SILENCE, SocketPage, new_cookie, page_at
from tests.web.desk import BO
from tests.web.serving import served

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_page_is_welcomed_and_told_who_answers(site):
    async with page_at(site) as page:
        assert page.outputs()[0] == "Hi, welcome to ShopMe. How can I help you? Press `P` to talk!"
        assert page.outputs()[1] == "Answered by a script of the tests."
        assert page.told("desk")[0]["customer"] == "cus_ana"


async def test_no_call_is_taken_before_the_customer_does_something(site, desk):
    async with page_at(site):
        assert desk.calls == []


async def test_typing_reaches_the_call_without_voice(site, desk):
    async with page_at(site) as page:
        await page.type("where is my order 1004?")
        call = await desk.call()
        await call.until_told("type", "where is my order 1004?")
        assert call.count("start_voice") == 0


async def test_typing_goes_on_during_and_after_voice(site, desk):
    async with page_at(site) as page:
        assert await page.talk() == "on"
        call = await desk.call()
        await page.type("during")
        await call.until_told("type", "during")
        await page.client.emit("audio_end")
        await call.until_told("end_voice")
        await page.type("after")
        await call.until_told("type", "after")
        assert len(desk.calls) == 1


async def test_sound_arrives_whole_and_in_order(site, desk):
    async with page_at(site) as page:
        await page.talk()
        call = await desk.call()
        chunks = [number.to_bytes(2, "little") * 960 for number in range(200)]
        for number, chunk in enumerate(chunks):
            await page.speak(chunk, number * 40)
        await call.until(lambda call: call.count("hear") == 200)
        assert bytes(call.heard) == b"".join(chunks)


async def test_sound_that_was_held_back_is_dropped(site, desk):
    async with page_at(site) as page:
        await page.talk()
        call = await desk.call()
        await page.speak(b"\1\0" * 960, 10_000)
        await page.speak(b"\2\0" * 960, 2000)
        await page.speak(b"\3\0" * 960, 10_040)
        await call.until(lambda call: call.count("hear") == 2)
        assert bytes(call.heard) == b"\1\0" * 960 + b"\3\0" * 960


@pytest.mark.parametrize("sound", [b"", b"\1", b"\1" * 48_002, "text", None, ["a"]])
async def test_sound_that_is_none_is_dropped(site, desk, sound):
    async with page_at(site) as page:
        await page.talk()
        call = await desk.call()
        await page.speak(sound)
        await page.speak(SILENCE)
        await call.until(lambda call: call.count("hear") == 1)
        assert bytes(call.heard) == SILENCE


async def test_a_flood_of_sound_is_cut(site, desk):
    async with page_at(site) as page:
        await page.talk()
        call = await desk.call()
        second = bytes(48_000)
        for _ in range(40):
            await page.speak(second)
        await page.type("over")
        await call.until_told("type", "over")
        assert len(call.heard) <= 13 * 48_000


async def test_no_sound_is_heard_before_p(site, desk):
    async with page_at(site) as page:
        await page.type("hello")
        call = await desk.call()
        await page.speak()
        await page.type("again")
        await call.until_told("type", "again")
        assert not call.heard


async def test_two_starts_are_one_voice_in_one_call(site, desk):
    async with page_at(site) as page:
        await page.client.emit("audio_start")
        await page.client.emit("audio_start")
        await page.until(lambda page: page.count("audio_connection") == 3)  # the first said: off at the start
        assert page.all("audio_connection")[1:] == ["on", "on"]
        assert len(desk.calls) == 1


async def test_an_end_while_it_starts_ends_it(site, desk):
    async with page_at(site) as page:
        await page.type("hello")
        call = await desk.call()
        call.gate.clear()
        await page.client.emit("audio_start")
        await call.until_told("start_voice")
        await page.client.emit("audio_end")
        await call.until_told("end_voice")
        call.gate.set()
        await page.until(lambda page: page.count("audio_connection") == 3)
        assert set(page.all("audio_connection")) == {"off"}


async def test_the_answer_to_an_end_is_the_last_word(site, desk):
    """A second P was answered while the end was on its way: the page must not open its microphone again."""
    async with page_at(site) as page:
        for event in ("audio_start", "audio_start", "audio_end"):
            await page.client.emit(event)
        await page.until(lambda page: page.count("audio_connection") == 4)
        assert page.all("audio_connection")[-1] == "off"


async def test_a_start_while_it_starts_is_never_too_fast(site, desk):
    async with page_at(site) as page:
        assert {await page.talk() for _ in range(10)} == {"on"}


async def test_a_start_that_fails_says_why_and_is_off(site, desk):
    async with page_at(site) as page:
        await page.type("hello")
        call = await desk.call()
        call.can_listen = False
        assert await page.talk() == "off"
        await page.until_shown("run make setup")


async def test_trouble_at_the_desk_is_one_sentence_of_its_own(site, desk, caplog):
    """What is to be mended concerns who runs the desk, and stands in its log."""
    desk.trouble = BackendError("Azure refused the key: check AZURE_OPENAI_API_KEY.", retry=False)
    async with page_at(site) as page:
        assert await page.talk() == "off"
        await page.until_shown("something on our side must be put right first")
        assert "Azure" not in str(page.outputs())
    assert "check AZURE_OPENAI_API_KEY" in caplog.text


async def test_starting_over_and_over_is_refused(site, desk):
    async with page_at(site) as page:
        answers = []
        for _ in range(10):
            answers.append(await page.talk())
            await page.client.emit("audio_end")
            ends = len(answers)
            await page.until(lambda page, ends=ends: page.count("audio_connection") == 1 + 2 * ends)
        assert answers[0] == "on"
        assert answers[-1] == "off"
        await page.until_shown("That was very fast")


async def test_a_flood_of_messages_is_refused(site, desk):
    async with page_at(site) as page:
        for number in range(40):
            await page.type(f"message {number}")
        await page.until_shown("That was very fast")
        call = await desk.call()
        assert call.count("type") < 15


async def test_a_long_message_is_cut_and_said_so(site, desk):
    async with page_at(site) as page:
        await page.type("x" * 10_000)
        call = await desk.call()
        await call.until_told("type", "x" * 4000)
        await page.until_shown("too long")


async def test_a_closed_tab_hangs_up_after_the_grace_time(site, desk):
    async with page_at(site) as page:
        await page.type("hello")
        call = await desk.call()
        await page.client.disconnect()
        await call.until_told("hang_up")


async def test_a_socket_that_returns_is_in_the_same_call(site, desk):
    async with page_at(site) as page:
        await page.type("hello")
        call = await desk.call()
        await page.client.disconnect()
        await call.channel.show(Caption("l1", "desk", "Said meanwhile.", "Said meanwhile.", True))
        again = SocketPage(page.cookie)
        again.session_id = page.session_id
        await again.connect(site)
        await again.until_shown("Said meanwhile.")
        await again.type("still here")
        await call.until_told("type", "still here")
        assert call.count("hang_up") == 0
        await again.client.disconnect()


async def test_a_page_that_returns_too_late_is_welcomed_anew(site, desk):
    async with page_at(site) as page:
        await page.talk()
        call = await desk.call()
        await page.client.disconnect()
        await call.until_told("hang_up")
        again = SocketPage(page.cookie)
        again.session_id = page.session_id
        await again.connect(site)
        await again.until(lambda page: page.told("desk") != [])
        assert again.all("audio_connection") == ["off", "off"]
        await again.type("hello again")
        await (await desk.call(1)).until_told("type", "hello again")
        await again.client.disconnect()


async def test_a_reload_finds_the_call_with_all_that_was_said(site, desk):
    async with page_at(site) as page:
        await page.type("where is it")
        call = await desk.call()
        await call.until_told("type", "where is it")
        await call.channel.show(Caption("l1", "customer", "where is it", "where is it", True, True))
        await call.channel.show(Caption("l2", "desk", "On its way.", "On its way.", True))
        async with page_at(site, page.cookie) as reloaded:
            assert "where is it" in reloaded.outputs()
            assert "On its way." in reloaded.outputs()
            await page.until(lambda page: page.told("elsewhere") != [])
            await page.client.disconnect()  # the old page goes: that is no end of the visit
            await reloaded.type("thank you")
            await call.until_told("type", "thank you")
        assert len(desk.calls) == 1


async def test_another_browser_has_its_own_call(site, desk):
    async with page_at(site) as one, page_at(site) as other:
        await one.type("one")
        await (await desk.call(0)).until_told("type", "one")
        await other.type("other")
        await (await desk.call(1)).until_told("type", "other")
        assert desk.calls[0].first("type", "other") is None


async def test_new_chat_hangs_up_at_once_and_begins_anew(site, desk):
    async with page_at(site) as page:
        await page.type("hello")
        call = await desk.call()
        await page.client.call("clear_session")
        await page.client.disconnect()
        await call.until_told("hang_up", "The customer left.")
        async with page_at(site, page.cookie) as anew:
            assert len([text for text in anew.outputs() if text]) == 2


async def test_a_call_that_has_ended_is_followed_by_a_new_one(site, desk):
    async with page_at(site) as page:
        await page.type("hello")
        call = await desk.call()
        await call.channel.show(StateShown("ended", "Nobody spoke for a while."))
        await page.type("are you there?")
        await (await desk.call(1)).until_told("type", "are you there?")


async def test_the_buttons_reach_the_call(site, desk):
    async with page_at(site) as page:
        await page.type("hello")
        call = await desk.call()
        await page.tell(type="answer", proposal="p1", yes=True)
        assert await call.until_told("answer") == ("answer", "p1", True)
        await page.tell(type="stop")
        await call.until_told("stop_reply")
        await page.tell(type="played", track="t1", ms=200)
        assert await call.until_told("played") == ("played", "t1", 200)
        await page.tell(type="person")
        await call.until_told("type", "I would like to talk to a person.")


async def test_a_suggestion_is_typed_for_the_customer(site, desk):
    desk.suggested = ("Where is my order?", "I want to return something")
    async with page_at(site) as page:
        assert page.told("desk")[-1]["suggestions"] == list(desk.suggested)
        await page.tell(type="suggested", number=7)
        await page.tell(type="suggested", number=1)
        call = await desk.call()
        await call.until_told("type", "I want to return something")
        assert call.count("type") == 1
        async with page_at(site, page.cookie) as other:
            assert other.told("desk")[-1]["suggestions"] == []  # The conversation has begun.


async def test_a_phone_is_not_told_of_a_key(site):
    async with page_at(site, **{"User-Agent": "Mozilla/5.0 (iPhone) Mobile/15E148"}) as page:
        assert page.outputs()[0] == "Hi, welcome to ShopMe. How can I help you? Tap *Talk*, or type!"


async def test_stop_stops_without_a_word_of_chainlits(site, desk):
    async with page_at(site) as page:
        await page.type("hello")
        call = await desk.call()
        await page.client.emit("stop")
        await call.until_told("stop_reply")
        assert not any("stopped" in text for text in page.outputs())


async def test_another_demo_customer_can_be_chosen_and_nobody_else(site, desk):
    async with page_at(site) as page:
        await page.type("hello")
        call = await desk.call()
        await page.tell(type="customer", id="cus_stranger")
        await page.tell(type="customer", id="cus_bo")
        await call.until_told("become")
        assert call.caller == BO
        assert call.count("become") == 1


async def test_another_demo_customer_sees_nothing_of_the_one_before(site, desk):
    async with page_at(site) as page:
        await page.type("hello")
        call = await desk.call()
        line = Caption("l1", "desk", "Order 1004 is on its way.", "", final=False, typed=False)
        await call.channel.show(line)
        await page.until_shown("Order 1004")
        await page.tell(type="customer", id="cus_bo")
        await page.until(lambda page: page.count("resume_thread") == 1)
        page.events.clear()
        await call.channel.show(Caption("l1", "desk", line.text, "Order 1004", final=True, typed=False))
        await call.channel.show(Notice("That is all.", "info"))
        await page.until_shown("That is all.")
        await page.until(lambda page: page.told("desk") != [])
        assert not any("Order 1004" in str(data) for _, data in page.events)


async def test_where_there_is_no_demo_nobody_can_be_chosen(site, desk):
    desk.demo_customers = ()
    async with page_at(site) as page:
        await page.type("hello")
        call = await desk.call()
        assert call.caller.customer_id is None
        await page.tell(type="customer", id="cus_bo")
        await page.type("still a guest")
        await call.until_told("type", "still a guest")
        assert call.count("become") == 0


@pytest.mark.parametrize("fault", ["refused", "missing", "busy", "insecure"])
async def test_a_microphone_that_fails_is_one_sentence(site, desk, fault):
    async with page_at(site) as page:
        await page.talk()
        await page.tell(type="microphone", fault=fault)
        await page.until_shown("microphone")
        await page.client.emit("audio_end")
        await (await desk.call()).until_told("end_voice")


async def test_a_microphone_that_is_taken_away_ends_voice(site, desk):
    async with page_at(site) as page:
        await page.talk()
        await page.tell(type="microphone", fault="lost")
        await (await desk.call()).until_told("end_voice")
        await page.until_shown("taken away")
        await page.until(lambda page: page.all("audio_connection")[-1] == "off")


@pytest.mark.parametrize("state", ["idle", "ended"])
async def test_a_call_that_ends_voice_by_itself_closes_the_microphone(site, desk, state):
    async with page_at(site) as page:
        assert await page.talk() == "on"
        call = await desk.call()
        await call.channel.show(StateShown(state, "Nobody spoke for a while."))
        await page.until(lambda page: page.all("audio_connection")[-1] == "off")


@pytest.mark.parametrize(
    ("event", "data"),
    [
        ("edit_message", {"message": {"id": "x", "output": "changed"}}),
        ("message_favorite", {"message": {"id": "x"}}),
        ("chat_settings_change", {"a": 1}),
        ("chat_settings_edit", {"a": 1}),
        ("window_message", "text"),
        ("window_message", None),
        ("client_message", {}),
        ("client_message", None),
        ("audio_chunk", None),
        ("audio_chunk", {}),
        ("no such event", {}),
    ],
)
async def test_odd_events_change_nothing(site, desk, event, data):
    async with page_at(site) as page:
        await page.client.emit(event, data)
        await page.type("hello")
        call = await desk.call()
        await call.until_told("type", "hello")
        assert call.count("type") == 1


async def test_a_call_knows_where_its_page_is(desk, settings):
    """Wrong guesses at a customer are counted by it, across calls."""
    named = dataclasses.replace(settings, origins=("https://desk.example.com",))
    app = create_app(named, desk.opener())
    elsewhere = {"X-Forwarded-For": "203.0.113.9"}
    async with served(app) as address, page_at(address, **elsewhere) as page:
        await page.type("hello")
        assert (await desk.call()).address == "203.0.113.9"


async def test_a_desk_for_this_machine_alone_is_not_reached_through_a_proxy(site):
    page = SocketPage(await new_cookie(site))
    with pytest.raises(socketio.exceptions.ConnectionError):
        await page.connect(site, **{"X-Forwarded-For": "203.0.113.9"})


async def test_a_rating_is_kept_with_the_call_while_it_lives_and_after(site, desk):
    async with page_at(site) as page:
        await page.tell(type="rating", good=True, comment="")
        await page.type("hello")
        call = await desk.call()
        await page.tell(type="rating", good=True, comment="")
        await call.until_told("rated", True, "")
        await call.channel.show(StateShown("ended", "hung up"))
        await page.tell(type="rating", good="yes", comment="")
        await page.tell(type="rating", good=False, comment="slow\x1b[31m " + "x" * 600)
        _, _, comment = await call.until_told("rated", False)
        assert comment.startswith("slow")
        assert "\x1b" not in comment
        assert len(comment) <= 501
        assert call.count("rated") == 2
