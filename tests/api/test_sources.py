"""Reading the files of cmk, cs and our own as their programs write them, and broken ones."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from nobody import without_rights

from cs_magic.api.profile import Profile
from cs_magic.api.profiles import Profiles
from cs_magic.api.sources import LARGEST, Found, Places, Sources
from cs_magic.errors import ProfileError

FILES = {
    "config": "config/config.toml",
    "cmk": "home/.cmk/config",
    "home_cs": "home/.cloudstack.ini",
    "here": "here/cs_magic.toml",
    "here_cs": "here/cloudstack.ini",
}


@dataclass
class Machine:
    """A user's folders and environment, with files written into them."""

    root: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def write(self, **texts: str | bytes) -> Machine:
        """Write files by their short names."""
        for name, text in texts.items():
            path = self.path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            path.chmod(0o600)
        return self

    def path(self, name: str) -> Path:
        """Where a file is."""
        return self.root / FILES.get(name, name)

    @property
    def profiles(self) -> Profiles:
        """The profiles of this machine."""
        return Profiles(self.places, self.environment, keyring=lambda service, name: None)

    @property
    def places(self) -> Places:
        """Where its files are."""
        return Places(self.root / "config", self.root / "home", self.root / "here")

    @property
    def sources(self) -> Sources:
        """What is read."""
        return self.profiles.sources()

    def get(self, name: str) -> Profile:
        """A profile by its name."""
        return self.profiles.get(name)

    def states(self) -> dict[str, str]:
        """State by name and source."""
        return {f"{row.name} in {row.source}": row.state for row in self.profiles.rows()}


def ours(name: str, host: str, *lines: str) -> str:
    """A whole profile in our own words."""
    whole = (f"[{name}]", f'endpoint = "https://{host}"', 'api_key = "k"', 'secret_key = "s"')
    return "\n".join((*whole, *lines, ""))


def cs(name: str, host: str, *lines: str) -> str:
    """A whole profile in the words of cs."""
    return "\n".join(
        (f"[{name}]", f"endpoint = https://{host}", "key = k", "secret = s", *lines, "")
    )


def cmk(name: str, host: str, *lines: str) -> str:
    """A whole profile in the words of cmk."""
    whole = (f"[{name}]", f"url = https://{host}", "apikey = k", "secretkey = s")
    return "\n".join((*whole, *lines, ""))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    for folder in ("config", "home", "here"):
        (tmp_path / folder).mkdir()
    return Machine(tmp_path)


# -- cmk ---------------------------------------------------------------------------------

# As gopkg.in/ini.v1 1.67 (cmk's library) writes it, the secrets chosen to need its quotes.
CMK = '''\
prompt       = 🐱
asyncblock   = true
timeout      = 1800
output       = json
verifycert   = true
profile      = prod
autocomplete = true
postrequest  = true

[prod]
url                = https://cloud.example.com/client/api
username           = admin
password           = p%ss#w;rd
domain             = /
apikey             = tell-tale-key
secretkey          = p%ss#w;rd
signaturealgorithm = auto

[blank]
secretkey          = " outer blanks "

[tick]
secretkey          = """pa`ss"word"""

[lines]
secretkey          = """one
two = 2
[three]"""

[quotes]
secretkey          = "quoted"

[single]
secretkey          = 'single'

[equals]
secretkey          = a=b:c==

[percent]
secretkey          = %(secretkey)s%%

[trailing]
secretkey          = abc   \t

[empty]
secretkey          =
'''


# What ini.v1 1.67 reads from it again; a value of nothing is a setting that isn't there.
@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("prod", "p%ss#w;rd"),
        ("blank", " outer blanks "),
        ("tick", 'pa`ss"word'),
        ("lines", "one\ntwo = 2\n[three]"),
        ("quotes", "quoted"),
        ("single", "single"),
        ("equals", "a=b:c=="),
        ("percent", "%(secretkey)s%%"),
        ("trailing", "abc"),
        ("empty", None),
    ],
)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_value_in_cmks_file_is_what_cmk_reads(machine, name, secret, ends):
    machine.write(cmk=CMK.replace("\n", ends))
    found = {one.name: one for one in machine.sources.found}[name]
    assert found.settings.get("secret_key", "").replace("\r", "") == (secret or "")
    assert machine.sources.broken == ()


def test_a_profile_of_cmk_needs_no_set_up(machine):
    machine.write(cmk=b"\xef\xbb\xbf" + CMK.encode())
    profile = machine.get("prod")
    assert profile.endpoint == "https://cloud.example.com/client/api"
    assert profile.credentials.secret_key == "p%ss#w;rd"
    assert profile.credentials.algorithm == "auto"
    assert (profile.verify, profile.method, profile.job_timeout) == (True, "post", 1800)
    assert profile.source == "~/.cmk/config"
    assert machine.sources.last == "prod"


@pytest.mark.parametrize(
    ("top", "setting", "value"),
    [
        ("verifycert = false", "verify", False),
        ("verifycert = False", "verify", False),
        ("verifycert = 0", "verify", False),
        ("verifycert = nonsense", "verify", True),
        ("postrequest = false", "method", "get"),
        ("postrequest = off", "method", "get"),
        ("timeout = 60", "job_timeout", 60.0),
        ("timeout = 0", "job_timeout", None),
        ("timeout = -1", "job_timeout", None),
        ("timeout = ²", "job_timeout", None),
        ("timeout = " + "9" * 5000, "job_timeout", None),
    ],
)
def test_what_stands_at_the_top_of_cmks_file_holds_for_its_profiles(machine, top, setting, value):
    machine.write(cmk=f"{top}\n" + cmk("prod", "host"))
    assert getattr(machine.get("prod"), setting) == value


def test_the_top_of_cmks_file_is_no_profile(machine):
    machine.write(cmk="url = https://evil\nprofile = x\n# [remark]\n; a = b\n\n" + cmk("p", "host"))
    assert [found.name for found in machine.sources.found] == ["p"]


# -- cs ----------------------------------------------------------------------------------

CS = """\
[DEFAULT]
timeout = 60

# a remark
[cloudstack]
endpoint = https://cloud.example.com/client/api
Key: tell-tale-key
secret = tell%%tale#1
method = post
verify = /etc/ssl/private-ca.pem
dangerous_no_tls_verify = true
retry = 3
expiration = 600
header_X-Forwarded-User = me
[lab]
endpoint = http://lab:8080/client/api
key = k
secret = 100%
timeout = 7
job_timeout = 90
dangerous_no_tls_verify = true
"""


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_profile_of_cs_is_what_cs_makes_of_it(machine, ends, mark):
    machine.write(home_cs=mark + CS.replace("\n", ends).encode())
    first, second = machine.get("cloudstack"), machine.get("cs:lab")
    assert first.credentials.api_key == "tell-tale-key"
    assert first.credentials.secret_key == "tell%tale#1"
    assert (first.timeout, first.verify) == (60, "/etc/ssl/private-ca.pem")
    assert second.credentials.secret_key == "100%"
    assert (second.timeout, second.job_timeout, second.verify) == (7, 90, False)


@pytest.mark.parametrize(("said", "meant"), [("true", True), ("Yes", True), ("off", False)])
def test_read_only_in_a_file_of_cs_is_heeded(machine, said, meant):
    machine.write(home_cs=cs("a", "h", f"read_only = {said}"))
    assert machine.get("a").read_only is meant
    assert machine.sources.broken == ()


def test_a_read_only_that_is_neither_is_an_error(machine):
    machine.write(home_cs=cs("a", "h", "read_only = perhaps"))
    with pytest.raises(ProfileError, match="read_only is true or false"):
        machine.get("a")


def test_what_nothing_reads_in_a_file_of_cs_is_named(machine):
    own = ("theme = fruity", "header_x-y = z", "retry = 2", "trace = true", "cert = /c.pem")
    machine.write(home_cs=cs("a", "h", *own, "scope = own", "readonly = true"))
    assert machine.sources.broken == ("~/.cloudstack.ini: [a] scope, readonly: nothing reads this",)


def test_the_file_of_cloudstack_config_comes_before_that_of_home(machine):
    machine.environment = {"CLOUDSTACK_CONFIG": str(machine.path("elsewhere.ini"))}
    machine.write(home_cs=cs("a", "home"), **{"elsewhere.ini": cs("a", "chosen")})
    assert machine.get("a").host == "chosen"


def test_cs_would_mix_its_files_key_by_key_and_we_never_do(machine):
    machine.write(home_cs="[a]\nkey = k\nsecret = s\n", here_cs="[a]\nendpoint = https://evil\n")
    (own, foreign) = machine.sources.found
    assert "endpoint" not in own.settings
    assert "secret_key" not in foreign.settings


@pytest.mark.parametrize("link", [False, True])
def test_a_file_that_is_reached_twice_is_read_once(machine, link):
    chosen = machine.path("home_cs")
    machine.write(home_cs=cs("a", "host"))
    if link:
        chosen = machine.path("link.ini")
        chosen.symlink_to(machine.path("home_cs"))
    machine.environment = {"CLOUDSTACK_CONFIG": str(chosen)}
    assert len(machine.sources.found) == 1


@pytest.mark.parametrize("text", ["", "~nobody-at-all/x", "\udcff", "x" * 5000, "/dev/null/x"])
def test_a_cloudstack_config_that_is_no_file_hides_nothing(machine, text):
    machine.write(cmk=cmk("p", "host"))
    machine.environment = {"CLOUDSTACK_CONFIG": text}
    assert machine.get("p").host == "host"


# -- the environment ---------------------------------------------------------------------

SETS = [
    ("CLOUDSTACK_ENDPOINT", "CLOUDSTACK_KEY", "CLOUDSTACK_SECRET"),
    ("CLOUDSTACK_API_URL", "CLOUDSTACK_API_KEY", "CLOUDSTACK_SECRET_KEY"),
]


@pytest.mark.parametrize("names", SETS)
def test_both_spellings_of_the_environment_are_known(machine, names):
    machine.environment = dict(zip(names, (" https://host\n", " k ", "s"), strict=True))
    profile = machine.profiles.current()
    assert (profile.name, profile.source) == ("env", "the environment")
    assert (profile.host, profile.credentials.api_key) == ("host", "k")


@pytest.mark.parametrize("missing", [*SETS[0], *SETS[1]])
@pytest.mark.parametrize("blank", [None, "", "  "])
def test_halves_of_two_spellings_are_never_mixed(machine, missing, blank):
    kept, other = (SETS[0], SETS[1]) if missing in SETS[0] else (SETS[1], SETS[0])
    texts = {name: "https://kept" for name in kept if name != missing}
    machine.environment = texts | ({} if blank is None else {missing: blank}) | {other[1]: "x"}
    (found,) = machine.sources.found
    assert set(found.settings.values()) in ({"https://kept"}, {"x"})


def test_a_domain_for_ansible_alone_is_no_profile(machine):
    machine.environment = {"CLOUDSTACK_DOMAIN": "/x", "CLOUDSTACK_PASSWORD": "tell-tale"}
    assert machine.sources.found == ()


# -- broken files, and files that are none -----------------------------------------------

BROKEN = {
    "UTF-16": '[a]\nsecret_key = "tell-tale"'.encode("utf-16"),
    "Latin-1": 'x = "tell-tale \xe4"'.encode("latin-1"),
    "no sense": b"tell-tale tell-tale",
    "a key of ssh": b"-----BEGIN TELL-TALE KEY-----\ntell-tale\n",
    "a bracket left open": b"[tell-tale\n",
    "endless digits": b"a = " + b"1" * 5000 + b"\ntell-tale",
    "endless brackets": b"a = " + b"[" * 50_000 + b"\ntell-tale",
    "huge": b"# tell-tale\n" * LARGEST,
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("name", ["config", "cmk", "home_cs", "here", "here_cs"])
def test_a_broken_file_is_named_tells_nothing_and_hides_no_other(machine, name, text):
    machine.write(config=ours("a", "1"), cmk=cmk("b", "2"), home_cs=cs("c", "3"))
    machine.write(**{name: text})
    sources = machine.sources
    kept = {one.name for one in sources.found} & set("abc")
    assert kept >= set("abc") - {{"config": "a", "cmk": "b", "home_cs": "c"}.get(name)}
    (reason,) = sources.broken
    assert reason.startswith(("./", "~/", str(machine.root)))
    assert machine.path(name).name in reason
    assert "tell" not in reason.lower()
    assert "\n" not in reason
    for row in machine.profiles.rows():
        assert row.state == "" or row.name not in kept


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("config", '[a]\nsecret_key = "tell-ta'),
        ("cmk", '[a]\napikey = """tell-tale\n'),
        ("cmk", "[a]\nurl = https://host\nsecretk"),
        ("home_cs", "[a]\nendpoint = https://host\nsecr"),
    ],
)
def test_a_half_written_file_is_said_to_be_so(machine, name, text):
    (reason,) = machine.write(**{name: text}).sources.broken
    assert "tell" not in reason


def test_what_is_no_plain_file_is_not_opened(machine):
    os.mkfifo(machine.path("here"))  # to open it would wait for ever
    machine.path("here_cs").symlink_to("/dev/zero")
    machine.path("config").mkdir()
    machine.write(cmk=cmk("a", "host"))
    assert len(machine.sources.broken) == 3
    assert machine.get("cmk:a").host == "host"


def test_a_link_that_leads_nowhere_is_no_file(machine):
    machine.path("here").symlink_to("nowhere")
    machine.path("here_cs").symlink_to("cloudstack.ini")
    sources = machine.sources
    assert sources.found == ()
    assert len(sources.broken) == 1  # the one that leads to itself


def test_a_file_that_may_not_be_read_is_reported(machine):
    path = machine.write(cmk=cmk("a", "host")).path("cmk")
    path.parent.chmod(0o755)
    path.chmod(0)
    with without_rights(path):
        broken = machine.sources.broken
    assert broken == ("~/.cmk/config: Permission denied",)


# -- who else can read them --------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "folder", "open_"),
    [
        (0o600, 0o755, False),
        (0o640, 0o755, True),
        (0o604, 0o755, True),
        (0o644, 0o700, False),  # as cmk leaves it: the folder is closed
        (0o644, 0o711, True),
        (0o640, 0o701, False),
        (0o604, 0o750, False),
    ],
)
def test_a_file_with_secrets_that_others_can_read_is_found(machine, file, folder, open_):
    machine.write(cmk=cmk("a", "host") + cmk("b", "host"))
    machine.path("cmk").chmod(file)
    machine.path("cmk").parent.chmod(folder)
    assert machine.sources.open_to_others == (("~/.cmk/config",) if open_ else ())


def test_a_file_without_secrets_may_be_open(machine):
    machine.write(config='[a]\nendpoint = "https://host"\napi_key = "k"\nkeyring = true\n')
    machine.path("config").chmod(0o644)
    assert machine.sources.open_to_others == ()


# -- what is shown -----------------------------------------------------------------------


def test_nothing_that_is_read_shows_a_secret(machine):
    machine.environment = dict(zip(SETS[0], ("https://h", "tell-tale", "tell-tale"), strict=True))
    machine.write(cmk=CMK, home_cs=CS, config=ours("a", "h").replace('"s"', '"tell-tale"'))
    shown = f"{machine.sources!r} {machine.profiles.rows()!r} {machine.get('a')!r}"
    assert "tell" not in shown
    assert "tell" not in repr(Found("a", "cmk", "x", {"secret_key": "tell-tale"}))
    assert "p%ss" not in shown
