"""Write docs/settings.md from the table in `helpline.settings`."""

from itertools import groupby
from pathlib import Path

from helpline.settings import SETTINGS, Setting

PAGE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"

HEAD = """\
# Settings

A value comes from the first of these that has it: the command line (`helpline run --port 8001`), the
environment, `.env`, `desk.toml`, the default. Empty counts as unset. In `desk.toml` a setting has the name in
the last column; keys and tokens are not read from there, since that file is kept under version control.

`helpline doctor` shows what is set, what works, and what to do about what does not.
"""


def page() -> str:
    """The page's whole text."""
    tables = [
        f"\n## {group}\n\n| Name | Default | What it means | `desk.toml` |\n|---|---|---|---|\n"
        + "".join(row(setting) for setting in settings)
        for group, settings in groupby(SETTINGS, key=lambda setting: setting.group)
    ]
    return HEAD + "".join(tables)


def row(setting: Setting) -> str:
    default = setting.default_text
    default = f"`{default}`" if default and default != setting.unset else default
    name = "" if setting.secret else f"`{setting.field}`"
    return f"| `{setting.env}` | {default} | {setting.meaning} | {name} |\n"


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page())
