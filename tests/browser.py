"""A headless browser that opens pages from disk and says what it found."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

INSTALL = "not found: chromium and chromedriver; Debian: sudo apt install chromium chromium-driver"


@contextmanager
def browser() -> Iterator[webdriver.Chrome]:
    programs = [shutil.which(name) for name in ("chromium", "chromedriver")]
    assert all(programs), INSTALL
    options = webdriver.ChromeOptions()
    options.binary_location = programs[0]
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(programs[1]))
    try:
        yield driver
    finally:
        driver.quit()


def check_page(driver: webdriver.Chrome, path: Path) -> None:
    """Assert that a page loads without a message, shows all its figures, and that its links lead somewhere."""
    driver.get_log("browser")  # of pages before
    driver.get(path.as_uri())
    sizes = driver.execute_script("return [...document.images].map(i => [i.complete, i.naturalWidth, i.alt.length])")
    assert all(complete and width > 0 and alternative > 0 for complete, width, alternative in sizes)
    ids = driver.execute_script("return [...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(set(ids)) == len(ids), "an anchor is there twice"
    links = driver.execute_script("return [...document.links].map(a => a.getAttribute('href'))")
    for link in links:
        name, _, anchor = link.partition("#")
        if link.startswith("data:"):
            continue
        target = path if not name else path.parent / name
        assert target.exists(), f"{path.name} has a link to {link}"
        assert not anchor or f'id="{anchor}"' in target.read_text(encoding="utf-8"), f"{path.name}: {link}"
    outside = driver.execute_script("return performance.getEntriesByType('resource').map(r => r.name)")
    assert [name for name in outside if not name.startswith("data:")] == []
    assert driver.get_log("browser") == []


def overflow(driver: webdriver.Chrome, width: int) -> int:
    """How far the page is wider than a window of that width (pixels)."""
    driver.set_window_size(width, 900)
    return int(driver.execute_script("return document.documentElement.scrollWidth - innerWidth"))
