"""A company's name, colour and logo on its page, and its opening hours."""

import dataclasses

import httpx
import pytest

from helpline.channels.web.app import create_app
from tests.web.client import page_at
from tests.web.serving import served

pytestmark = pytest.mark.asyncio(loop_scope="session")

EVIL = b'<svg xmlns="http://www.w3.org/2000/svg"><script>window.hit = 1</script></svg>'


async def test_the_company_is_on_its_page(desk, settings, tmp_path):
    logo = tmp_path / "logo.svg"
    logo.write_bytes(EVIL)
    own = dataclasses.replace(settings, name="A & B", accent="#8a1538", logo=logo)
    async with (
        served(create_app(own, desk.opener())) as address,
        httpx.AsyncClient(base_url=address) as client,
    ):
        page = (await client.get("/")).text
        assert "<title>A &amp; B</title>" in page
        assert '<meta name="hl-accent" content="342 74% 31%|' in page
        assert '<meta name="hl-logo" content="/logo" />' in page
        served_logo = await client.get("/logo")
        assert served_logo.content == EVIL
        assert served_logo.headers["content-type"] == "image/svg+xml"
        policy = served_logo.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "script-src" not in policy
        assert "sandbox" in policy
        assert served_logo.headers["x-content-type-options"] == "nosniff"
        assert "#8a1538" in (await client.get("/favicon")).text


async def test_the_dark_page_may_have_a_logo_of_its_own(desk, settings, tmp_path):
    for name in ("light.svg", "dark.svg"):
        (tmp_path / name).write_text(f"<svg>{name}</svg>")
    own = dataclasses.replace(settings, logo=tmp_path / "light.svg", logo_dark=tmp_path / "dark.svg")
    async with (
        served(create_app(own, desk.opener())) as address,
        httpx.AsyncClient(base_url=address) as client,
    ):
        assert '<meta name="hl-logo-dark" content="/logo?theme=dark" />' in (await client.get("/")).text
        assert "light.svg" in (await client.get("/logo")).text
        assert "dark.svg" in (await client.get("/logo?theme=dark")).text


async def test_without_a_logo_there_is_our_mark_with_the_name(site):
    async with httpx.AsyncClient(base_url=site) as client:
        assert "ShopMe" in (await client.get("/logo?theme=dark")).text
        assert "hl-logo" not in (await client.get("/")).text


async def test_who_comes_outside_the_opening_hours_is_told(site, desk):
    desk.closed = "Our colleagues are there Monday to Friday."
    async with page_at(site) as page:
        assert page.outputs()[2] == desk.closed
