"""Recorded answers to `login` and to codes, read by ours; and what ours asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import pytest
from replay import Step, accounts, steps

from cs_magic.api import login
from cs_magic.api.credentials import Password
from cs_magic.api.login import SignedIn
from cs_magic.api.values import Request, Response
from cs_magic.errors import ApiError, CloudStackError, SignInNeeded, TransportError

ENDPOINT = "https://recorded.example/client/api"
FAILED = "Failed to authenticate user {} in domain {}; please provide valid credentials"
DISABLED = "is disabled/locked. Please contact the administrator."
CODE_IS_WRONG = "two-factor authentication code provided is invalid"


@dataclass
class Recorded:
    """Carries a request nowhere and gives a recorded answer: only the reading is ours."""

    answers: list[Step]
    requests: list[Request] = field(default_factory=list)

    def send(self, request: Request) -> Response:
        self.requests.append(request)
        step = self.answers.pop(0)
        return Response(step.status, step.content_type, step.body, cookies=_cookies(step))

    def interrupt(self, threads: set[int]) -> None:
        """Nothing is going on."""

    def close(self) -> None:
        """Nothing is open."""


def _cookies(step: Step) -> dict[str, str]:
    given = next((v for k, v in step.headers.items() if k.lower() == "set-cookie"), [])
    lines = given if isinstance(given, list) else [given]
    return dict(line.partition(";")[0].split("=", 1) for line in lines)


def signed_in(where: str, index: int = 0) -> tuple[SignedIn, Recorded]:
    recorded = Recorded([steps(f"A-login/{where}")[index], *steps("A-login/30-session-calls-get")])
    return login.sign_in(recorded, ENDPOINT, Password("u1", "p", "/D1")), recorded


# File, step → whose session, and whether a code is wanted.
ANSWERED = [
    ("01-login-admin-post", 0, "admin", False),
    ("02-login-u1-domain-slash-name", 0, "u1", False),
    ("07-login-u1-domainid", 0, "u1", False),
    ("10-login-u3-subdomain", 0, "u3", False),
    ("13-login-username-case", 0, "u1", False),
    ("17-login-da", 0, "da", False),
    ("67-login-passwordchange", 1, "xlock", False),
    ("60-two-factor", 0, "x2fa", False),
    ("60-two-factor", 6, "x2fa", True),
    ("60-two-factor", 10, "x2fa", True),
    ("61-two-factor-validate-without-sessionkey", 0, "x2fa", True),
]


@pytest.mark.parametrize(("where", "index", "username", "wants_code"), ANSWERED)
def test_a_recorded_answer_gives_a_session(where, index, username, wants_code):
    came, _ = signed_in(where, index)
    assert (came.username, came.wants_code) == (username, wants_code)
    assert len(came.session.session_key) == 27
    assert came.session.jsessionid.startswith("node0")


REFUSED = [
    ("05-login-u1-domain-rootpath", 0, 531, "Unable to find the domain from the path /ROOT/D1/"),
    ("06-login-u1-no-domain", 0, 531, FAILED.format("u1", 1)),
    ("09-login-bad-domainid", 0, 401, "Invalid domain id entered, please enter a valid one"),
    ("18-login-wrong-password", 0, 531, FAILED.format("u1", 2)),
    ("21-login-no-password", 0, 531, FAILED.format("u1", 2)),
    ("23-login-unknown-domain", 0, 531, "Unable to find the domain from the path /nowhere/"),
    ("59-lockout", 4, 531, FAILED.format("xfive", 2)),
    ("59-lockout", 5, 531, DISABLED),
    ("29-login-get", 0, 405, "Please use HTTP POST to authenticate using this API"),
]


@pytest.mark.parametrize(("where", "index", "errorcode", "text"), REFUSED)
def test_a_recorded_refusal_is_told_in_cloudstacks_words(where, index, errorcode, text):
    with pytest.raises(ApiError) as caught:
        signed_in(where, index)
    assert caught.value.errorcode == errorcode
    assert caught.value.errortext.endswith(text)


def test_a_login_without_a_user_name_is_an_error_too():
    with pytest.raises(CloudStackError):
        signed_in("22-login-no-username")


def test_an_answer_without_a_session_is_no_session():
    with pytest.raises(TransportError):
        signed_in("26-login-xml")


@pytest.mark.parametrize("index", [0, 2, 5])
def test_where_two_factors_are_wanted_and_not_set_up_it_says_so(index):
    step = steps("A-login/65-two-factor-mandated")[index]
    recorded = Recorded([step, steps("A-login/30-session-calls-get")[-1]])
    if b'"is2faenabled":"true"' not in step.body:
        pytest.fail("the recording is another one")
    with pytest.raises(SignInNeeded, match="set up two-factor sign-in first"):
        login.sign_in(recorded, ENDPOINT, Password("u3", "p", "/D1/D2"))
    assert [request.command for request in recorded.requests] == ["login", "logout"]


@pytest.mark.parametrize(
    ("index", "said"), [(3, ""), (15, ""), (11, CODE_IS_WRONG), (12, "unable to verify")]
)
def test_a_recorded_answer_to_a_code_is_read(index, said):
    came, _ = signed_in("60-two-factor", 6)
    recorded = Recorded([steps("A-login/60-two-factor")[index]])
    if not said:
        assert login.send_code(recorded, ENDPOINT, came, "1").wants_code is False
        return
    with pytest.raises(ApiError) as caught:
        login.send_code(recorded, ENDPOINT, came, "1")
    assert caught.value.errortext.startswith(said)
    assert "1" not in str(caught.value)


# -- what is asked -----------------------------------------------------------------------------

ASKED = [
    ("01-login-admin-post", "admin", "/"),
    ("02-login-u1-domain-slash-name", "u1", "/D1"),
    ("03-login-u1-domain-name", "u1", "D1"),
    ("07-login-u1-domainid", "u1", "9ed5cca4-bcaf-47c9-926a-e75bd091dd02"),
    ("10-login-u3-subdomain", "u3", "/D1/D2"),
]


@pytest.mark.parametrize(("where", "username", "domain"), ASKED)
def test_a_login_is_asked_as_the_server_accepted_it(where, username, domain):
    [step, *_] = steps(f"A-login/{where}")
    recorded = Recorded([step])
    password = accounts()[username]["password"]
    login.sign_in(recorded, ENDPOINT, Password(username, password, domain))
    [request] = recorded.requests
    accepted = dict(parse_qsl(step.sent["body"], keep_blank_values=True))
    assert request.method == step.method == "POST"
    assert {"domain": "/"} | accepted == {"domain": "/"} | dict(request.form)


@pytest.mark.parametrize(
    ("typed", "sent"), [("ROOT/D1", "/D1"), ("ROOT", "/"), ("", "/"), ("/ROOT/x", "/ROOT/x")]
)
def test_a_path_as_cloudstack_prints_it_is_sent_as_it_takes_it(typed, sent):
    recorded = Recorded(list(steps("A-login/02-login-u1-domain-slash-name")))
    login.sign_in(recorded, ENDPOINT, Password("u1", "p", typed))
    assert dict(recorded.requests[0].form)["domain"] == sent
