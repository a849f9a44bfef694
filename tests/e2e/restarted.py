"""A page with the embedded engine in a process of its own, to be killed and started again."""

import asyncio
import sys
from pathlib import Path

from helpline.channels.web.app import serve
from helpline.desk import open_desk
from tests.records.desks import settings_in

if __name__ == "__main__":
    asyncio.run(serve(settings_in(Path(sys.argv[1]), port=sys.argv[2], drain_s="0"), open_desk))
