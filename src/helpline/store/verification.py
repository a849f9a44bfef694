"""Wrong answers to "who are you?", counted across calls, and one-time codes."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from helpline.store import schema as t


@dataclass(frozen=True, slots=True)
class Attempt:
    """An answer that is being looked at: counted as wrong until `forgive` takes it back."""

    before: Mapping[str, int]
    """Wrong answers of each subject before this one."""
    rows: tuple[int, ...]


async def attempt(
    connection: AsyncConnection, subjects: Iterable[str], since: datetime, at: datetime
) -> Attempt:
    """Count an answer against each subject (`customer:…`, `address:…`, `call:…`).

    It is counted before it is looked at, one at a time: many guesses at once are as many guesses.
    """
    pepper = await _pepper(connection, lock=True)
    by_digest = {_digest(pepper, subject): subject for subject in subjects}
    await connection.execute(sa.delete(t.verification_failures).where(t.verification_failures.c.at <= since))
    counted = (
        sa.select(t.verification_failures.c.subject, sa.func.count())
        .where(t.verification_failures.c.subject.in_(by_digest))
        .group_by(t.verification_failures.c.subject)
    )
    before = {by_digest[digest]: count for digest, count in await connection.execute(counted)}
    inserted = await connection.execute(
        sa.insert(t.verification_failures).returning(t.verification_failures.c.id),
        [{"subject": digest, "at": at} for digest in by_digest],
    )
    return Attempt(before, tuple(inserted.scalars()))


async def forgive(connection: AsyncConnection, made: Attempt) -> None:
    """The answer was right: it does not count."""
    own = t.verification_failures.c.id.in_(made.rows)
    await connection.execute(sa.delete(t.verification_failures).where(own))


async def _pepper(connection: AsyncConnection, *, lock: bool = False) -> str:
    """This database's own secret: without it the digest of a phone number could be guessed."""
    query = sa.select(t.facts.c.value).where(t.facts.c.name == "pepper")
    if lock:
        query = query.with_for_update()
    pepper: str = (await connection.execute(query)).scalar_one()
    return pepper


def _digest(pepper: str, text: str) -> str:
    return hmac.new(pepper.encode(), text.encode(), hashlib.sha256).hexdigest()


async def keep_code(
    connection: AsyncConnection, call_id: str, customer_id: str, code: str, expires_at: datetime
) -> None:
    """Remember the code that was sent in a call, in place of the one before."""
    await connection.execute(sa.delete(t.login_codes).where(t.login_codes.c.call_id == call_id))
    await connection.execute(
        sa.insert(t.login_codes).values(
            call_id=call_id,
            customer_id=customer_id,
            digest=_digest(await _pepper(connection), f"{call_id}:{code}"),
            expires_at=expires_at,
        )
    )


async def sent_to(connection: AsyncConnection, call_id: str) -> str | None:
    """The customer to whom this call's code was sent."""
    query = sa.select(t.login_codes.c.customer_id).where(t.login_codes.c.call_id == call_id)
    customer_id: str | None = (await connection.execute(query)).scalar_one_or_none()
    return customer_id


async def take_code(connection: AsyncConnection, call_id: str, code: str, now: datetime) -> bool:
    """Whether this is the call's code; a right one is used up."""
    own = t.login_codes.c.call_id == call_id
    row = (await connection.execute(sa.select(t.login_codes).where(own).with_for_update())).first()
    if row is None or row.expires_at <= now:
        return False
    digest = _digest(await _pepper(connection), f"{call_id}:{code}")
    if not hmac.compare_digest(digest, row.digest):
        return False
    await connection.execute(sa.delete(t.login_codes).where(own))
    return True
