"""Which profile is meant, what somebody else's folder can't do, and what a wrong one says."""

from __future__ import annotations

import subprocess
import sys
import traceback
from itertools import pairwise

import keyring
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked
from test_sources import FILES, SETS, Machine, cmk, cs, machine, ours

from cs_magic.api.credentials import Asked, Password
from cs_magic.api.profiles import Profiles
from cs_magic.errors import ProfileError, harmless

__all__ = ["machine"]
COMPLETE = dict(zip(SETS[0], ("https://env", "k", "s"), strict=True))


def refused(machine: Machine, name: str | None = None) -> ProfileError:
    with pytest.raises(ProfileError) as caught:
        machine.profiles.current() if name is None else machine.get(name)
    assert "tell-tale" not in " ".join(caught.value.lines())
    return caught.value


# -- which one ---------------------------------------------------------------------------

# Stronger first: what is given, and the host that decides then.
ORDER = [
    ("named", {"CS_MAGIC_PROFILE": "named"}, {"home_cs": cs("named", "named")}),
    ("env", COMPLETE, {}),
    ("default", {}, {"config": 'default = "d"\n' + ours("d", "default")}),
    ("last", {}, {"cmk": "profile = l\n" + cmk("a", "a") + cmk("l", "last")}),
]


@pytest.mark.parametrize(("stronger", "weaker"), list(pairwise(ORDER)), ids=lambda one: one[0])
def test_the_current_profile_is_decided_in_this_order(machine, stronger, weaker):
    for host, environment, files in (weaker, stronger):
        machine.environment = {**machine.environment, **environment}
        assert machine.write(**files).profiles.current().host == host


@pytest.mark.parametrize("name", ["config", "home_cs", "cmk", "here", "here_cs"])
def test_the_only_profile_there_is_is_current(machine, name):
    text = {"config": ours, "here": ours, "cmk": cmk}.get(name, cs)("x", "host")
    assert machine.write(**{name: text}).profiles.current().host == "host"


@pytest.mark.parametrize(
    "files",
    [
        {"config": ours("b", "1") + ours("a", "2")},
        {"cmk": "profile = a\n" + cmk("a", "1"), "home_cs": cs("b", "2")},
        {"cmk": "profile = gone\n" + cmk("a", "1") + cmk("b", "2")},
        {"config": ours("a", "1"), "here": 'default = "b"\n' + ours("b", "2")},
    ],
)
def test_where_nothing_decides_the_error_lists_them(machine, files):
    error = refused(machine.write(**files))
    assert {"a", "b"} <= set(error.hints[0].removeprefix("There are: ").split(", "))


def test_without_any_profile_the_error_says_how_to_have_one(machine):
    assert str(machine.path("config").parent) in refused(machine).hints[1]


def test_half_an_environment_says_what_is_missing_and_uses_no_other_half(machine):
    machine.environment = {"CLOUDSTACK_ENDPOINT": "https://h", "CLOUDSTACK_KEY": "tell-tale"}
    missing = "has no CLOUDSTACK_SECRET or CLOUDSTACK_SECRET_KEY"
    assert missing in refused(machine).message
    assert missing in " ".join(refused(machine.write(cmk=cmk("p", "h"))).hints)


@pytest.mark.parametrize(
    ("name", "host"), [("p", "1"), ("toml:p", "1"), ("cs:p", "2"), ("cmk:p", "3"), ("env", "env")]
)
def test_a_name_is_that_of_the_strongest_source_or_of_the_one_it_says(machine, name, host):
    machine.environment = COMPLETE
    machine.write(config=ours("p", "1"), home_cs=cs("p", "2"), cmk=cmk("p", "3"))
    assert machine.get(name).host == host


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("prdo", "prod"), ("Prod", "prod"), ("cmk:prdo", "cmk:prod"), ("cs:prod", "cmk:prod")],
)
def test_a_mistyped_profile_is_an_error_with_a_suggestion(machine, typed, meant):
    error = refused(machine.write(cmk=cmk("prod", "h")), typed)
    assert f"did you mean {meant}?" in error.message
    assert error.hints == ("There are: prod, demo",)


def test_the_first_that_has_the_name_gives_the_whole_profile(machine):
    machine.write(config='[p]\nendpoint = "https://one"\n', cmk=cmk("p", "two"))
    assert machine.get("p").credentials == Asked()
    machine.write(config='[p]\nendpoint = "https://one"\nsecret_key = "s"\n')
    assert "has no api_key" in refused(machine, "p").message


@pytest.mark.parametrize(
    ("settings", "asked"),
    [
        ("", Asked()),
        ('username = "u"', Asked("u")),
        ('username = "u"\ndomain = "/D"', Asked("u", "/D")),
        ('password = "tell-tale"', Asked()),
    ],
)
def test_a_profile_without_keys_and_password_asks_who_runs_it(machine, settings, asked):
    machine.write(config=f'[p]\nendpoint = "https://one"\n{settings}\n')
    assert machine.get("p").credentials == asked
    assert [(row.keys, row.state) for row in machine.profiles.rows()] == [("sign in", "")]


def test_an_endpoint_alone_in_the_environment_is_signed_in_to(machine):
    machine.environment = {"CLOUDSTACK_ENDPOINT": "https://env", "CLOUDSTACK_USERNAME": "u"}
    assert machine.profiles.current().credentials == Asked("u")


def test_a_password_may_be_in_the_keyring_bound_to_the_host(machine):
    kept = {("cs_magic:one", "u"): "tell-tale"}
    machine.write(config='[p]\nendpoint = "https://one"\nusername = "u"\nkeyring = true\n')
    where, environment = machine.profiles._where, machine.profiles._environment
    profiles = Profiles(where, environment, lambda *entry: kept.get(entry))
    assert profiles.get("p").credentials == Password("u", "tell-tale")
    kept.clear()
    with pytest.raises(ProfileError, match="no password for its user") as caught:
        profiles.get("p")
    assert caught.value.hints == ("keyring set cs_magic:one USERNAME",)


def test_demo_is_the_demo_cloud_and_a_profile_of_that_name_says_its_source(machine):
    machine.write(cmk=cmk("demo", "host"))
    error = refused(machine, "demo")
    assert error.lines() == [
        "ProfileError: The demo cloud is no profile of a file: %cs use demo starts it,"
        ' in a script connect("demo")'
    ]
    assert machine.get("cmk:demo").host == "host"
    assert machine.states() == {"demo in ~/.cmk/config": "say cmk:demo"}


@pytest.mark.parametrize("file", ["config", "cmk", "home_cs"])
def test_nobody_guesses_what_stands_in_a_file_that_cant_be_read(machine, file):
    machine.write(here=ours("x", "evil"), **{file: "no sense"})
    assert "no sense" not in refused(machine).message
    assert "can't be read" in refused(machine, "x").message
    assert "can't be read" in refused(machine, "toml:x").message


def test_a_name_that_our_broken_configuration_may_have_needs_its_source(machine):
    machine.write(config='[p]\nfrom = "cmk:p"\nread_only = tru', cmk=cmk("p", "host"))
    assert refused(machine, "p").hints == ("cmk:p is the one of ~/.cmk/config.",)
    assert "config.toml" in refused(machine).message
    assert machine.get("cmk:p").host == "host"


# -- somebody else's folder --------------------------------------------------------------

NO_TLS = "dangerous_no_tls_verify = true"


@pytest.mark.parametrize("own", ["config", "home_cs", "cmk"])
@pytest.mark.parametrize("foreign", ["here", "here_cs"])
def test_a_name_of_the_users_own_files_is_never_redefined(machine, own, foreign):
    write = {"config": ours, "here": ours, "cmk": cmk}
    machine.write(**{own: write.get(own, cs)("prod", "mine")})
    machine.write(**{foreign: write.get(foreign, cs)("prod", "evil") + "\n"})
    kind = "toml" if foreign == "here" else "cs"
    assert machine.get("prod").host == machine.profiles.current().host == "mine"
    if machine.path(own).suffix != machine.path(foreign).suffix:
        refused(machine, f"{kind}:prod")
    (state,) = [s for where, s in machine.states().items() if "./" in where]
    assert state.startswith("shadowed by ")


@pytest.mark.parametrize("name", ["Prod", "PROD", "prod"])
def test_nor_is_it_in_other_letter_cases(machine, name):
    machine.write(cmk=cmk("prod", "mine"), here=ours(name, "evil"))
    assert machine.profiles.current().host == "mine"
    assert "evil" not in machine.get("prod").endpoint
    assert machine.states()[f"{name} in ./cs_magic.toml"] == "shadowed by ~/.cmk/config"


FORGED = {
    "verify": {"here": ours("x", "evil", "verify = false")},
    "verify and a host like ours": {"here": ours("x", "localhost.evil", "verify = false")},
    "allow_http": {"here": ours("x", "evil", "allow_http = true")},
    "a certificate authority": {"here": ours("x", "evil", 'verify = "ca.pem"')},
    "one above": {"here": ours("x", "evil", 'verify = "../ca.pem"')},
    "one by a detour": {"here": ours("x", "evil", 'verify = "/etc/../proc/self/cwd/ca.pem"')},
    "keyring": {"here": ours("x", "evil", "keyring = true")},
    "keyring by name": {"here": ours("x", "evil", 'keyring = "cs_magic:mine"')},
    "cs without TLS": {"here_cs": cs("x", "evil", NO_TLS)},
    "cs with an authority": {"here_cs": cs("x", "evil", "verify = ca.pem")},
    "from with an endpoint": {"here": '[x]\nfrom = "cmk:prod"\nendpoint = "https://evil"\n'},
    "from with verify": {"here": '[x]\nfrom = "cmk:prod"\nverify = true\n'},
    "from with anything": {"here": '[x]\nfrom = "cmk:prod"\nmethod = "get"\n'},
    "from a foreign one": {"here": '[x]\nfrom = "cs:y"\n', "here_cs": cs("y", "evil", NO_TLS)},
    "from the environment": {"here": '[x]\nfrom = "env"\nendpoint = "https://evil"\n'},
    "from the environment, said": {"here": '[x]\nfrom = "env:env"\n'},
    "from itself": {"here": '[x]\nfrom = "toml:x"\n'},
    "from in a ring": {"here": '[x]\nfrom = "toml:z"\n[z]\nfrom = "toml:x"\n'},
    "a list": {"here": '[x]\nfrom = ["cmk:prod"]\n'},
    "a proxy": {"here": ours("x", "evil", 'proxy = "http://evil"')},
    "hidden host": {"here": ours("x", "mine@evil")},
}


@pytest.mark.parametrize("files", FORGED.values(), ids=FORGED)
def test_a_file_in_the_working_folder_may_not_say(machine, files):
    machine.environment = COMPLETE
    machine.write(cmk=cmk("prod", "mine"), **{"here/ca.pem": "x"})
    error = refused(machine.write(**files), "x")
    (state,) = [s for where, s in machine.states().items() if where.startswith("x in ./")]
    assert state == error.message


@pytest.mark.parametrize("name", ["demo", "env", "Demo", "cmk:prod", "prоd", "a b", "\u202ex", ""])
def test_a_name_that_looks_like_something_else_is_refused(machine, name):
    machine.write(here=ours(f'"{name}"', "evil"))
    assert "may not call" in refused(machine).message


@pytest.mark.parametrize("host", ["localhost:8443", "127.0.0.1:1", "[::1]:8443"])
@pytest.mark.parametrize("line", ["verify = false", "allow_http = true", 'verify = "ca.pem"'])
def test_what_is_on_this_machine_it_may(machine, host, line):
    assert machine.write(here=ours("x", host, line)).get("x").host == host


def test_the_systems_authorities_may_be_named_by_anybody(machine):
    path = "/etc/ssl/private-ca.pem"
    assert machine.write(here_cs=cs("x", "host", f"verify = {path}")).get("x").verify == path


@pytest.mark.parametrize("text", ["./x.ini", "x.ini", "sub/x.ini", "{root}/here/x.ini"])
@pytest.mark.parametrize("link", [False, True])
def test_a_cloudstack_config_in_the_working_folder_is_somebody_elses(machine, text, link):
    name = "here/sub/x.ini" if "sub" in text else "here/x.ini"
    machine.write(**{"elsewhere.ini" if link else name: cs("p", "evil", NO_TLS)})
    if link:
        machine.path(name).parent.mkdir(exist_ok=True)
        machine.path(name).symlink_to(machine.path("elsewhere.ini"))
    machine.environment = {"CLOUDSTACK_CONFIG": text.format(root=machine.root)}
    assert "may not name verify = false" in refused(machine, "p").message
    assert machine.write(cmk=cmk("p", "mine")).get("p").host == "mine"


def test_the_users_own_files_stay_so_where_the_notebook_stands_in_home(machine):
    machine.environment = {"CLOUDSTACK_CONFIG": str(machine.path("home/.config/x.ini"))}
    machine.write(home_cs=cs("a", "h", NO_TLS), **{"home/.config/x.ini": cs("b", "h", NO_TLS)})
    places = type(machine.places)(machine.root / "config", *[machine.root / "home"] * 2)
    profiles = Profiles(places, machine.environment)
    assert [profiles.get(name).verify for name in "ab"] == [False, False]


def test_the_default_of_a_folder_is_not_taken(machine):
    machine.write(cmk="profile = a\n" + cmk("a", "mine") + cmk("b", "b"), here='default = "b"\n')
    assert machine.profiles.current().host == "mine"
    assert "./cs_magic.toml: default is for the user's own" in machine.sources.broken[0]


def test_the_users_default_is_never_a_profile_of_the_folder(machine):
    machine.write(config='default = "gone"\n' + ours("a", "h"), here=ours("gone", "evil"))
    assert "no profile of your own" in refused(machine).message


@pytest.mark.parametrize(
    "own", ['api_key = "tell-tale"', 'secret_key = "tell-tale"', "keyring = true", "timeout = 5"]
)
def test_the_users_own_keys_never_go_to_an_address_of_the_folder(machine, own):
    machine.write(config=f'[x]\nfrom = "cs:lab"\n{own}\n', here_cs=cs("lab", "evil"))
    assert "there is no such profile" in refused(machine, "x").message


def test_a_relative_authority_is_that_beside_its_file(machine):
    machine.write(config=ours("a", "h", 'verify = "ca.pem"'), home_cs=cs("b", "h", "verify = c/d"))
    assert machine.get("a").verify == str(machine.path("config").parent / "ca.pem")
    assert machine.get("b").verify == str(machine.path("home_cs").parent / "c/d")


# -- from, and the keyring ---------------------------------------------------------------


def test_from_adds_our_settings_to_a_foreign_profile(machine):
    machine.write(config='[p]\nfrom = "cmk:prod"\nread_only = true\nworkers = 2\n')
    profile = machine.write(cmk="timeout = 9\n" + cmk("prod", "host")).get("p")
    assert (profile.host, profile.credentials.api_key, profile.job_timeout) == ("host", "k", 9)
    assert (profile.read_only, profile.workers) == (True, 2)
    assert profile.source.endswith("config/config.toml, from ~/.cmk/config")


@pytest.mark.parametrize("name", ["endpoint", "api_key", "secret_key", "username", "password"])
def test_from_never_gives_half_of_the_keys(machine, name):
    machine.write(config=f'[p]\nfrom = "cmk:prod"\n{name} = "tell-tale"\n', cmk=cmk("prod", "h"))
    assert "in its own way" in refused(machine, "p").message


KEYRING = '[p]\nendpoint = "https://Cloud:8443/client"\napi_key = "tell-tale"\nkeyring = true\n'


class Ring(KeyringBackend):
    """A keyring of one secret, which may be locked."""

    priority = 1
    locked = False

    def set_password(self, service, username, password):
        raise AssertionError("nothing is ever written")

    def get_password(self, service, username):
        if self.locked:
            raise KeyringLocked("tell-tale")
        return (
            "from the ring" if (service, username) == ("cs_magic:cloud:8443", "tell-tale") else None
        )


@pytest.fixture
def ring():
    before, ring = keyring.get_keyring(), Ring()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


def from_ring(machine):
    return Profiles(machine.places, {}).get("p")


def test_a_secret_in_the_keyring_is_bound_to_the_host_and_the_key(machine, ring):
    machine.write(config=KEYRING)
    assert from_ring(machine).credentials.secret_key == "from the ring"
    assert [row.keys for row in machine.profiles.rows()] == ["API keys (keyring)"]
    machine.write(config=KEYRING.replace("Cloud", "evil"))
    with pytest.raises(ProfileError, match="keyring has no secret") as caught:
        from_ring(machine)
    assert caught.value.hints == ("keyring set cs_magic:evil:8443 API_KEY",)


def test_a_locked_keyring_says_so(machine, ring):
    ring.locked = True
    machine.write(config=KEYRING)
    with pytest.raises(ProfileError, match="KeyringLocked") as caught:
        from_ring(machine)
    assert "tell-tale" not in "".join(traceback.format_exception(caught.value))
    assert machine.states().popitem()[1] == ""  # a list of profiles unlocks nothing


def test_without_the_library_the_error_says_what_to_install():
    code = (
        "import sys; sys.modules['keyring'] = None\n"
        "from cs_magic.api.profile import keyring_secret; keyring_secret('s', 'n')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "ProfileError: The keyring library is not installed" in done.stderr


# -- wrong settings ----------------------------------------------------------------------

WRONG = [
    ("timeout = 0", "timeout is seconds from 1 to 3600"),
    ("timeout = nan", "timeout is seconds"),
    ("timeout = inf", "timeout is seconds"),
    ("timeout = true", "timeout is seconds"),
    ("timeout = 1979-05-27", "timeout is seconds"),
    (f"timeout = {'9' * 400}", "timeout is seconds"),
    ("workers = 17", "workers is a whole number from 1 to 16"),
    ("workers = 2.5", "workers is"),
    ("workers = inf", "workers is"),
    ("signature_version = inf", "signature_version is 2 or 3"),
    ("signature_version = 2.5", "signature_version is 2 or 3"),
    ("signature_version = true", "signature_version is 2 or 3"),
    ('signature_algorithm = "MD5"', "signature_algorithm is"),
    ("signature_algorithm = []", "signature_algorithm is"),
    ('method = "put"', 'method is "post" or "get"'),
    ("method = 1", "method is"),
    ('scope = "mine"', 'scope is "all" or "own"'),
    ("verify = 0", "verify is true, false, or the path of a CA file"),
    ('verify = "false"', "verify is"),
    ('verify = ""', "verify is"),
    ('verify = "a\\u0000b"', "verify is"),
    ('read_only = "yes"', "read_only is true or false"),
    ("read_only = 1", "read_only is"),
    ("allow_http = {}", "allow_http is"),
    ('keyring = "x"', "keyring is true or false"),
    ("timout = 5", "unknown setting timout: did you mean timeout?"),
    ('url = "x"', "unknown setting url: did you mean endpoint?"),
    ('apikey = "tell-tale"', "unknown setting apikey: did you mean api_key?"),
    ("xyzzy = 1", "unknown setting xyzzy"),
    ("[p.timeout]", "timeout is seconds"),
]
WRONG_KEYS = [
    ("endpoint", "5", "endpoint is an address in quotes"),
    ("endpoint", '["tell-tale"]', "endpoint is"),
    ("endpoint", '"ftp://tell-tale"', "The endpoint is no address"),
    ("endpoint", '"https://tell-tale:x@host"', "user name or password"),
    ("endpoint", '""', "has no endpoint"),
    ("api_key", "5", "api_key is text in quotes"),
    ("api_key", '"tell-tale\\u0007"', "api_key is"),
    ("secret_key", '["tell-tale"]', "secret_key is text in quotes"),
    ("secret_key", "true", "secret_key is"),
    ("secret_key", '""', "has no secret_key"),
]


def wrong(line: str) -> str:
    return ours("p", "host", line).replace('"s"', '"tell-tale"')


def wrong_key(name: str, value: str) -> str:
    keys = {"endpoint": '"https://h"', "api_key": '"tell-tale"', "secret_key": '"tell-tale"'}
    return "[p]\n" + "".join(f"{key} = {one}\n" for key, one in (keys | {name: value}).items())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        *((wrong(line), said) for line, said in WRONG),
        *((wrong_key(name, value), said) for name, value, said in WRONG_KEYS),
    ],
)
def test_a_wrong_setting_names_profile_file_and_setting_and_no_secret(machine, text, said):
    error = refused(machine.write(config=text, cmk=cmk("other", "host")), "p")
    assert said in error.message
    assert "p (" in error.message
    assert "config/config.toml)" in error.message
    locals_too = traceback.TracebackException.from_exception(error, capture_locals=True)
    shown = "".join(line for line in locals_too.format() if "/tests/" not in line)
    assert "tell-tale" not in shown
    rows = {row.name: row for row in machine.profiles.rows()}
    assert rows["p"].state == error.message
    assert (rows["other"].state, rows["other"].host) == ("", "host")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"cmk": cmk("p", "host", "signaturealgorithm = MD5")}, "signaturealgorithm is"),
        ({"cmk": "[p]\nurl = https://host\nsecretkey = u\n"}, "has no apikey"),
        ({"home_cs": cs("p", "host", "timeout = never")}, "timeout is"),
        ({"home_cs": cs("p", "host", "verify = false")}, "verify is"),
        ({"home_cs": "[p]\nkey = tell-tale\n"}, "has no endpoint"),
    ],
)
def test_a_setting_is_called_as_its_file_calls_it(machine, files, said):
    assert said in refused(machine.write(**files), "p").message


def test_the_rows_show_all_profiles_and_what_shadows_what(machine):
    machine.environment = COMPLETE
    machine.write(config=ours("a", "one:8443"), home_cs=cs("a", "two"))
    machine.write(cmk="[b]\nurl = http://three\nusername = u\npassword = tell-tale\n")
    rows = [(row.name, row.host, row.keys, row.state) for row in machine.profiles.rows()]
    assert rows == [
        ("a", "one:8443", "API keys", ""),
        ("env", "env", "API keys", ""),
        ("a", "two", "API keys", f"shadowed by {machine.path('config')}"),
        ("b", "three", "password", ""),
    ]


# -- garbage -----------------------------------------------------------------------------

WORDS = st.sampled_from(
    '[ ] [a] [b] [demo] [DEFAULT] = : " \' """ # ; \n \r\n \t a b default profile from endpoint url'
    " key secret api_key secret_key apikey secretkey verify verifycert keyring timeout true false"
    ' 1 9e999 nan inf [] {} "cmk:a" "cs:b" "x" https://h "https://h" http://[ "https://u:p@h" \\'
    " \x00 \x1b \u2028 \ud7ff é 🐱 %(a)s %% 1979-05-27 a.b.c allow_http workers".split(" ")
)
LINE = st.lists(WORDS, max_size=4).map(" ".join)
TEXT = st.lists(LINE | st.text(max_size=8), max_size=6).map("\n".join)
VALUE = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12
) | st.sampled_from(["https://h", "a", "b", "cmk:a", "~", "x.ini", "~x/y"])
NAMES = [*SETS[0], *SETS[1], "CS_MAGIC_PROFILE", "CLOUDSTACK_CONFIG", "CLOUDSTACK_USERNAME"]


@settings(max_examples=2000, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    files=st.dictionaries(st.sampled_from(list(FILES)), TEXT | st.binary(max_size=20)),
    environment=st.dictionaries(st.sampled_from(NAMES), VALUE),
)
def test_garbage_raises_nothing_but_a_profile_error(tmp_path_factory, files, environment):
    machine = Machine(tmp_path_factory.getbasetemp() / "garbage", environment)
    for name in FILES:
        text = files.get(name, b"")
        raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        machine.write(**{name: raw})
    usable = [machine.profiles.current] + [
        lambda name=name: machine.get(name)
        for name in {row.name for row in machine.profiles.rows()} | {"toml:a"}
    ]
    problems = []
    for use in usable:
        try:
            assert use().endpoint.startswith("http")
        except ProfileError as error:
            problems.append(error)
    assert all(problem.message.strip() for problem in problems)
    lines = [line for problem in problems for line in problem.lines()]
    assert [line for line in lines if line != harmless(line)] == []
