"""`connect("demo")`: a demo cloud of its own, for a script that has no cloud yet."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

import cs_magic


@pytest.fixture(autouse=True)
def nothing_configured(bare_shell):
    """No profile, in no file and no environment."""


def served() -> int:
    """How many demo clouds are being served by this process."""
    return sum(thread.name == "demo cloud" for thread in threading.enumerate())


def ended(before: int) -> bool:
    """Whether only so many are served soon: a thread may take a moment to end."""
    until = time.monotonic() + 5
    while served() > before and time.monotonic() < until:
        time.sleep(0.01)
    return served() == before


def test_a_script_practises_on_a_demo_cloud_that_ends_with_the_connection():
    before = served()
    with cs_magic.connect("demo") as cloud:
        assert served() == before + 1
        assert set(cloud.listZones().name) == {"Zürich", "Genève", "Lugano"}
        assert "demo at 127.0.0.1" in repr(cloud)
    cloud.close()
    assert ended(before)


def test_each_connection_has_a_demo_cloud_as_new():
    with cs_magic.connect("demo") as one, cs_magic.connect("demo") as other:
        machine = one.listVirtualMachines(limit=1).id[0]
        one.createTags(resourcetype="UserVm", resourceids=machine, tags={"a": "b"})
        assert len(one.listTags(key="a")) == 1
        assert len(other.listTags(key="a")) == 0


def test_the_environment_may_say_demo(monkeypatch):
    monkeypatch.setenv("CS_MAGIC_PROFILE", "demo")
    with cs_magic.connect() as cloud:
        assert cloud.profile.name == "demo"


def test_a_setting_given_holds_on_the_demo_cloud_too():
    with cs_magic.connect("demo", read_only=True) as cloud, pytest.raises(cs_magic.Refused):
        cloud.createTags(resourcetype="UserVm", resourceids="x", tags={"a": "b"})


def test_the_demo_cloud_is_one_of_several(monkeypatch):
    with cs_magic.connect("demo") as cloud:
        monkeypatch.setenv("CLOUDSTACK_ENDPOINT", cloud.profile.endpoint)
        monkeypatch.setenv("CLOUDSTACK_KEY", cloud.profile.credentials.api_key)
        monkeypatch.setenv("CLOUDSTACK_SECRET", cloud.profile.credentials.secret_key)
        with cs_magic.connect("env,demo") as both:
            zones = both.listZones()
    assert zones.profile.value_counts().to_dict() == {"env": 3, "demo": 3}


@pytest.mark.parametrize("wrong", [("demo,nope", {}), ("demo", {"tiemout": 3})])
def test_no_demo_cloud_is_left_where_something_is_wrong(wrong):
    profile, settings = wrong
    before = served()
    with pytest.raises(cs_magic.ProfileError):
        cs_magic.connect(profile, **settings)
    assert ended(before)


def test_a_script_that_closes_nothing_ends_all_the_same():
    script = "import cs_magic; print(len(cs_magic.connect('demo').listZones()))"
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert (ran.stdout, ran.stderr) == ("3\n", "")
