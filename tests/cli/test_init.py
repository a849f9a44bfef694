"""`helpline init`: what it writes is a desk that runs, and it writes over nothing."""

import json

import pytest
from click.testing import CliRunner

from helpline.cli import main
from helpline.cli.init import begin
from helpline.errors import SettingsError
from helpline.settings import load_settings
from tests.records.desks import desk_in


@pytest.fixture
def helpline(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str):
        return CliRunner().invoke(main, arguments, env={"HELPLINE_BACKENDS": "engine"})

    return run


def test_what_it_writes_is_a_desk_with_a_tool_a_policy_and_pages(helpline, tmp_path, monkeypatch):
    done = helpline("init", "shop")
    assert done.exit_code == 0, done.output
    assert "cd shop" in done.output
    monkeypatch.chdir(tmp_path / "shop")
    assert "policy.toml is a valid policy." in helpline("policy", "check", "policy.toml").output
    settings = load_settings(env={})
    assert settings.name == "My Shop"
    answers = helpline("call", "--text", "--json", "when is the store in Boston open", "where can I park")
    assert answers.exit_code == 0, answers.output
    said = " ".join(line["text"] for line in json.loads(answers.stdout)["lines"])
    assert "In Boston we are open from 10 to 20." in said, "the tool of the new file"
    assert "first hour is free" in said, "the page of the new folder"


def test_nothing_is_written_over(helpline, tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "policy.toml").write_text("mine")
    refused = helpline("init", "shop")
    assert refused.exit_code == 1
    assert "policy.toml is there already" in refused.stderr
    assert [file.name for file in (tmp_path / "shop").iterdir()] == ["policy.toml"]


def test_every_setting_in_the_comments_is_one(tmp_path):
    """What a reader may take the comment sign from is not out of date."""
    begin(tmp_path)
    text = (tmp_path / "desk.toml").read_text()
    lines = [line[2:] for line in text.splitlines() if line.startswith("# ") and " = " in line[:20]]
    for logo in ("logo.svg", "logo-dark.svg"):
        (tmp_path / logo).write_text("<svg/>")
    settings = [line for line in lines if not line.startswith(("command", 'tools = ["stock', "prompt_file"))]
    assert len(settings) > 5
    file = tmp_path / "all.toml"
    file.write_text("\n".join(settings))
    env = {
        "OPENAI_API_KEY": "k",
        "AZURE_OPENAI_ENDPOINT": "https://a.example",
        "AZURE_OPENAI_DEPLOYMENT": "d",
    }
    assert load_settings({}, env=env, env_file=tmp_path / "no.env", desk_file=file).voice == "marin"


async def test_only_the_tools_that_are_named_are_offered(tmp_path):
    async with desk_in(tmp_path, tools="check_order_status,schedule_callback") as desk:
        names = {
            each.name
            for each in desk.toolbox.definitions(
                desk.toolbox.context(call_id="c", caller=desk.demo_customers[0])
            )
        }
        assert names == {"check_order_status", "schedule_callback"}
    with pytest.raises(SettingsError, match=r"names cancel_ordr.*did you mean cancel_order"):
        async with desk_in(tmp_path / "other", tools="cancel_ordr"):
            pass
