"""The records of a desk's calls: begun with the call, written when it ends, taken up after a crash.

Make one with `open_records`. Beside the calls it does the work that they leave behind: summaries, messages,
and what the retention of each kind of data asks for.
"""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final, Protocol

from sqlalchemy.exc import SQLAlchemyError

from helpline.actions import GUEST, Caller
from helpline.clock import Clock, SystemClock
from helpline.realtime.cost import PriceList, prices
from helpline.records import archive, past, redacting, retention, work
from helpline.records.continuing import GOES_ON_WITHIN, BrokenOff, Stored
from helpline.records.draft import Draft, ModelOf, document
from helpline.records.events import Began, Rated
from helpline.records.journal import Journal, JournalError, Journals
from helpline.records.messages import NothingToSay
from helpline.records.past import Heading, Past
from helpline.records.recording import Recording
from helpline.records.tracing import redact_trace
from helpline.redact import redact_json
from helpline.settings import Settings
from helpline.store import Store
from helpline.store.database import to_its_end
from helpline.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

LOOK_AGAIN_S: Final = 15.0
"""Another process may have left work; ours wakes us at once."""
HELD_S: Final = 60.0
_PAGE: Final = "web"
"""How long a desk that starts holds the calls that were left to it: pages reconnect within seconds."""
RETENTION_EVERY: Final = timedelta(hours=1)


class Worker(Protocol):
    """Does one kind of work."""

    async def do(self, job: work.Work) -> None:
        """Raises NothingToSay, or what went wrong: then it is tried again later."""


class Traced(Protocol):
    """Wants each finished record, for traces elsewhere."""

    def ended(self, record: dict[str, Any]) -> None: ...


class Records:
    """The records of one desk."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        *,
        clock: Clock | None = None,
        workers: dict[work.Kind, Worker] | None = None,
        traced: Traced | None = None,
    ) -> None:
        self.store = store
        self._settings = settings
        self._clock = clock or SystemClock()
        self._kinds = redacting.Kinds.of(settings)
        self._workers = workers or {}
        self._traced = traced
        self._prices: PriceList = prices()
        self._model_of = model_of(settings)
        self.metrics = Metrics(self._prices, self._model_of)
        self._journals = _journals(settings)
        self._broken: dict[str, BrokenOff] = {}
        """By holder: calls that an earlier desk left, whose pages may come back."""
        self._unwritten: list[Recording] = []
        """Calls that are over and whose records could not be written yet."""
        self._wake = asyncio.Event()

    # --- a call ---

    def begin(
        self,
        call_id: str,
        *,
        channel: str,
        language: str,
        caller: Caller = GUEST,
        holder: str = "",
        past: str = "",
    ) -> Recording:
        """A call has come in. `holder` may go on with it should the desk break off.

        `past` is the earlier call that it goes on from.
        """
        at = self._clock.utcnow().isoformat()
        began = Began(call_id, channel, language, at, caller, _hidden(holder), past)
        self.metrics.began()
        return Recording(began, self._journal(call_id), self._clock, self.metrics)

    def _journal(self, call_id: str) -> Journal | None:
        if self._journals is None:
            return None
        try:
            return self._journals.begin(call_id)
        except OSError as error:
            log.error("call %s is not kept safe from a crash: %s", call_id, type(error).__name__)
            return None

    async def close(self, recording: Recording) -> None:
        """The call is over: write its record, then let go of its journal.

        When the database cannot be written the journal stays until it can, or for the next start; so it does
        when the desk closes in mid-call, whose holder may come back.
        """
        if recording.left and recording.journal is not None:
            recording.journal.leave()
            return
        try:
            await to_its_end(self._keep(recording.draft, live=True))
        except (SQLAlchemyError, OSError) as error:
            log.error("call %s: its record waits: %s", recording.draft.began.call_id, type(error).__name__)
            self._unwritten.append(recording)
            return
        except Exception as error:  # noqa: BLE001 - one call must not end the desk; its file stays
            log.error("call %s has no record: %s", recording.draft.began.call_id, type(error).__name__)
            if recording.journal is not None:
                recording.journal.leave()
            return
        # Before the journal goes: after a kill the next start finds that and does the rest.
        await to_its_end(self._redact_trace(recording.draft.began.call_id))
        if recording.journal is not None:
            recording.journal.close()
        self.look()

    async def rate(self, call_id: str, rated: Rated) -> None:
        """A word about a call whose record is written; one that is not there any more is left alone."""
        rating = redact_json(asdict(rated), self._kinds.lines)
        async with self.store.database.write() as connection:
            await archive.rate(connection, call_id, rating)

    async def history(self, customer_id: str) -> tuple[Heading, ...]:
        """A customer's own past conversations, the newest first."""
        async with self.store.database.read() as connection:
            return await past.headings(connection, customer_id)

    async def past(self, customer_id: str, call_id: str, reader: str = "") -> Past | None:
        """One of them; None for another's as for one that there is not. `reader` is written down."""
        async with self.store.database.read() as connection:
            found = await past.find(connection, customer_id, call_id)
        if found is not None and reader:
            async with self.store.database.write() as connection:
                await archive.note_read(connection, self._clock.utcnow(), reader, "reopen", call_id)
        return found

    async def recover(self) -> int:
        """Write the records of calls whose process is gone; how many there were.

        Those whose holder may come back wait for them: see `take_up`.
        """
        if self._journals is None:
            return 0
        count = 0
        for journal in self._journals.left_behind():
            try:
                count += await self._take_in(journal)
            except Exception as error:  # noqa: BLE001 - one call's file must not keep a desk from starting
                log.error("call %s: its record waits: %s", journal.call_id, type(error).__name__)
                journal.leave()
        if count:
            log.warning("%d calls had broken off with the desk; they are in the record", count)
        if self._broken:
            log.warning("%d calls had broken off with the desk and wait for their pages", len(self._broken))
        return count

    async def _take_in(self, journal: Journal) -> int:
        """Have a call wait for its page, or write it down; how many were written down."""
        broken = BrokenOff.of(journal)
        if broken is not None and broken.may_go_on(self._clock.utcnow()):
            count = await self._write_down(self._broken.get(broken.holder))
            self._broken[broken.holder] = broken
            return count
        if broken is None and journal.set_aside():
            log.error("the file of call %s cannot be read: it is kept as %s", journal.call_id, journal.path)
        elif broken is None:  # It was cut short before it said whose it is.
            journal.close()
        return await self._write_down(broken)

    async def _redact_trace(self, call_id: str) -> None:
        if self._settings.trace_calls != "no":  # a long one takes a while, and other calls go on
            for part in (self._settings.data_dir / "traces").glob(f"{call_id}*.jsonl"):
                # One that went on after a restart of the desk has several.
                await asyncio.to_thread(redact_trace, self._settings, part.stem, self._kinds)

    async def take_up(self, holder: str) -> tuple[BrokenOff, Stored] | None:
        """The call of this holder that broke off with the desk, once, with what became of its proposals."""
        broken = self._broken.pop(_hidden(holder), None) if holder else None
        if broken is None:
            return None
        try:
            async with self.store.database.read() as connection:
                stored = await archive.proposals_of(connection, broken.draft.began.call_id)
        except BaseException:
            self._broken[broken.holder] = broken
            raise
        return broken, stored

    def go_on(self, broken: BrokenOff) -> Recording:
        """Write the rest of a call behind what there is of it."""
        elapsed_ms = broken.elapsed_ms(self._clock.utcnow())
        draft = broken.draft
        self.metrics.began()
        return Recording(
            draft.began, broken.journal, self._clock, self.metrics, resumed=draft, elapsed_ms=elapsed_ms
        )

    async def wait_for_holders(self) -> None:
        """Give the holders of calls that broke off a while to come back.

        A page does by itself, and at once; who writes by a messenger does when they write again.
        """
        await asyncio.sleep(HELD_S)
        await self.give_up_waiting(_PAGE)
        await asyncio.sleep(GOES_ON_WITHIN.total_seconds() - HELD_S)
        await self.give_up_waiting()

    async def give_up_waiting(self, channel: str = "") -> None:
        """Write down every call that still waits for its holder; of one channel, or of all."""
        for holder in [name for name, each in self._broken.items() if each.began_at(channel)]:
            broken = self._broken.pop(holder, None)
            if broken is None:
                continue  # Its holder has come meanwhile.
            try:
                await to_its_end(self._write_down(broken))
            except (SQLAlchemyError, OSError) as error:
                log.error("call %s: its record waits: %s", broken.draft.began.call_id, type(error).__name__)
                broken.journal.leave()

    def put_back(self, broken: BrokenOff) -> None:
        """It was taken up, and nobody could go on with it yet: it waits again."""
        self._broken[broken.holder] = broken

    def let_go(self) -> None:
        """The desk closes: what still waits for its page, or for the database, waits for the next start."""
        while self._broken:
            self._broken.popitem()[1].journal.leave()
        while self._unwritten:
            if (journal := self._unwritten.pop().journal) is not None:
                journal.leave()

    async def _write_down(self, broken: BrokenOff | None) -> int:
        if broken is None:
            return 0
        await self._keep(broken.draft, live=False)
        await self._redact_trace(broken.draft.began.call_id)
        broken.journal.close()
        return 1

    async def _keep(self, draft: Draft, *, live: bool) -> None:
        usage = draft.usage(self._prices, self._model_of)
        async with self.store.database.write() as connection:
            if draft.unsettled or not live:
                draft.add_receipts(await archive.receipts_of(connection, draft.began.call_id))
            keys = await archive.customer_keys(connection, draft.customers)
            whole = document(draft, keys, usage)
            record = redacting.redacted(whole, self._kinds)
            if await archive.insert(connection, record, redacting.words_of(record)):
                for kind in self._workers:
                    key = keys[-1] if keys else ""
                    await work.add(
                        connection, kind, f"call:{record['id']}", self._clock.utcnow(), customer_key=key
                    )
        self.metrics.ended(record, live=live)
        self.metrics.redacted(redacting.counts(record))
        if self._traced is not None:
            try:
                self._traced.ended(record)
            except Exception as error:  # noqa: BLE001 - the edge: the record is written, whatever a collector says
                log.error("call %s has no trace elsewhere: %s", record["id"], type(error).__name__)

    # --- what calls leave behind ---

    def look(self) -> None:
        """Something may have to be done. Where nobody is told of anything it can wait for its time."""
        if self._workers:
            self._wake.set()

    async def run(self) -> None:
        """Do the work as it falls due, until cancelled."""
        clean_at = self._clock.utcnow()
        while True:
            self._wake.clear()
            try:
                await self.write_rest()
                await self.work_off()
                if self._clock.utcnow() >= clean_at:
                    await retention.clean(self.store, self._settings, self._clock.utcnow())
                    clean_at = self._clock.utcnow() + RETENTION_EVERY
                wait_s = await self._until_due_s()
            except Exception as error:  # noqa: BLE001 - the edge of a task: what waits is looked at again
                log.error("what calls left behind waits: %s", type(error).__name__)
                wait_s = LOOK_AGAIN_S
            try:
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def write_rest(self) -> None:
        """Write the records that had to wait for the database."""
        waiting, self._unwritten = self._unwritten, []
        for recording in waiting:
            await self.close(recording)

    async def work_off(self) -> int:
        """Do everything that is due now; how much that was."""
        kinds = tuple(kind for kind in self._workers if kind != "summary")
        count = 0
        await to_its_end(self._gather(kinds))
        while (job := await to_its_end(self._take())) is not None:
            await self._do(job)
            count += 1
        return count

    async def _gather(self, kinds: tuple[work.Kind, ...]) -> None:
        async with self.store.database.write() as connection:
            await work.gather(connection, kinds, self._clock.utcnow())

    async def _take(self) -> work.Work | None:
        async with self.store.database.write() as connection:
            return await work.take(connection, self._clock.utcnow(), tuple(self._workers))

    async def _do(self, job: work.Work) -> None:
        error = ""
        try:
            async with asyncio.timeout(work.LEASE_S / 2):
                await self._workers[job.kind].do(job)
        except NothingToSay:
            log.info("work %s: there is nothing to do any more", job.id)
        except Exception as failure:  # noqa: BLE001 - the edge of a job: it is tried again
            error = type(failure).__name__
            log.warning("work %s failed (%d): %s", job.id, job.attempts, error)
        await to_its_end(self._put_back(job, error))

    async def _put_back(self, job: work.Work, error: str) -> None:
        async with self.store.database.write() as connection:
            if error:
                await work.postpone(connection, job, self._clock.utcnow(), error)
            else:
                await work.finish(connection, job, self._clock.utcnow())

    async def _until_due_s(self) -> float:
        now = self._clock.utcnow()
        async with self.store.database.read() as connection:
            due = await work.next_due(connection, tuple(self._workers))
            counts, oldest = await work.counts(connection)
        self.metrics.work(counts, (now - oldest).total_seconds() if oldest else 0.0)
        if due is None:
            return LOOK_AGAIN_S
        return min(LOOK_AGAIN_S, max(0.05, (due - now).total_seconds()))


def _hidden(holder: str) -> str:
    """The name under which a journal knows who may go on with its call; it leads back to nobody."""
    return hashlib.sha256(f"holder:{holder}".encode()).hexdigest() if holder else ""


def _journals(settings: Settings) -> Journals | None:
    try:
        return Journals(settings.data_dir)
    except JournalError as error:
        log.error("%s Calls are not kept safe from a crash.", error)
        return None


def model_of(settings: Settings) -> ModelOf:
    """Which model answers, as the price list calls it."""
    answers = {
        "azure": settings.azure_deployment,
        "openai": settings.openai_model,
        "voice_live": settings.voice_live_model,
        "realtime": settings.realtime_model,
        "engine": "helpline-engine",
    }
    hears = {
        "azure": settings.azure_transcription_deployment,
        "openai": settings.openai_transcription,
        "voice_live": settings.voice_live_transcription,
        "realtime": settings.realtime_transcription,
        "engine": "helpline-engine",
    }

    def model(backend: str, kind: str) -> str:
        return (hears if kind == "transcription" else answers).get(backend, "") or backend

    return model


@asynccontextmanager
async def open_records(
    settings: Settings,
    store: Store,
    *,
    clock: Clock | None = None,
    workers: dict[work.Kind, Worker] | None = None,
    traced: Traced | None = None,
) -> AsyncIterator[Records]:
    """The records of a desk, with what a crash left taken up, and its work done until the way out."""
    records = Records(settings, store, clock=clock, workers=workers, traced=traced)
    await records.recover()
    worker = asyncio.create_task(records.run(), name="records")
    holding = asyncio.create_task(records.wait_for_holders(), name="calls that broke off")
    try:
        yield records
    finally:
        worker.cancel()
        holding.cancel()
        await asyncio.gather(worker, holding, return_exceptions=True)
        records.let_go()
