"""`helpline trace-to-test`: a call that went wrong becomes a scenario that must go right."""

from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa

from helpline.cli.calls import looked, opened
from helpline.cli.start import wait_for
from helpline.errors import LocalError
from helpline.private import write_text
from helpline.records import archive
from helpline.simulate.recorded import scenario_of
from helpline.simulate.scenario import as_yaml
from helpline.store import schema as t


@click.command()
@click.argument("call_id", metavar="ID")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE.yaml", help="Write it to a file.")
def command(call_id: str, out: Path | None) -> None:
    """Turn a recorded call into a scenario for `helpline simulate`."""
    record, customer = wait_for(_call(call_id))
    text = as_yaml(scenario_of(record, customer))
    if out is None:
        click.echo(text, nl=False)
    else:
        write_text(out, text)


async def _call(call_id: str) -> tuple[dict[str, Any], str]:
    async with opened() as store:
        async with store.database.read() as connection:
            record = await archive.find(connection, call_id)
            if record is None:
                raise LocalError(
                    f"There is no record of {call_id}: `helpline calls list` shows what there is."
                )
            keys = record["customers"][-1:]
            query = sa.select(t.pseudonyms.c.subject_id).where(t.pseudonyms.c.key.in_(keys))
            customer = (await connection.execute(query)).scalar_one_or_none()
        await looked(store, "trace-to-test", call_id)
    return record, customer or "guest"
