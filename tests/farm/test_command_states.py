"""What may become of a command: laws over every order of words, and the time-outs of farm/v1."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.command_states import (
    ENDED,
    PROVEN,
    Due,
    Progress,
    State,
    after_word,
    due,
)
from farm.models import Command
from tests.farm.factories import NOON

WORDS = ["accepted", "started", "done", "aborted", "rejected", "expired", "duplicate", "nonsense"]
LAST = ["", "accepted", "started", "done", "aborted", "rejected", "expired", "duplicate"]
STATES = list(State)
told = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(LAST)), max_size=12)


def history(state, words):
    states = [state]
    for word, last in words:
        states.append(after_word(states[-1], word, last=last).state)
    return states


def test_the_states_are_those_of_the_table():
    assert {state.value for state in State} == set(Command.Status.values)


@given(st.sampled_from(STATES), told)
def test_a_proven_end_is_never_left(state, words):
    for before, then in pairwise(history(state, words)):
        if before in PROVEN:
            assert then == before


@given(told)
def test_unknown_is_left_only_for_a_proven_end(words):
    for before, then in pairwise(history(State.UNKNOWN, words)):
        if before == State.UNKNOWN:
            assert then in {State.UNKNOWN} | PROVEN


@given(st.sampled_from(STATES), told)
def test_started_never_follows_an_end_and_nothing_goes_back(state, words):
    rank = {State.QUEUED: 0, State.SENT: 1, State.ACCEPTED: 2, State.STARTED: 3}
    for before, then in pairwise(history(state, words)):
        if before in ENDED:
            assert then not in rank
        elif then in rank:
            assert rank[then] >= rank[before]


@given(st.sampled_from(STATES), told)
def test_words_said_twice_end_in_the_same_state(state, words):
    doubled = [word for word in words for _ in range(2)]

    assert history(state, doubled)[-1] == history(state, words)[-1]


@given(st.permutations([("accepted", ""), ("started", ""), ("done", "")]))
def test_the_words_of_a_run_end_in_done_in_any_order(words):
    assert history(State.SENT, words)[-1] == State.DONE


@given(st.sampled_from(STATES), told)
def test_news_is_exactly_what_changes_the_state(state, words):
    for word, last in words:
        step = after_word(state, word, last=last)
        assert step.is_news == (step.state != state)
        state = step.state


@pytest.mark.parametrize("word", ["rejected", "expired"])
def test_what_was_started_cannot_be_refused_for_its_second_copy(word):
    assert after_word(State.STARTED, word).state == State.STARTED


def test_a_duplicate_speaks_by_its_last_word_and_else_has_been_taken():
    assert after_word(State.SENT, "duplicate", last="aborted").state == State.ABORTED
    assert after_word(State.UNKNOWN, "duplicate", last="done").state == State.DONE
    assert after_word(State.SENT, "duplicate").state == State.ACCEPTED
    assert after_word(State.UNKNOWN, "duplicate").state == State.UNKNOWN


def seconds(number):
    return NOON + timedelta(seconds=number)


def progress(state, **fields):
    fields = {
        "expires_at": seconds(15),
        "runs": True,
        "run_seconds": 120,
        "sends": 1,
        "sent_at": NOON,
        "last_sent_at": NOON,
    } | fields
    return Progress(state=State(state), **fields)


@pytest.mark.parametrize(
    ("state", "fields", "at", "expected"),
    [
        ("queued", {}, 14.9, Due.NOTHING),
        ("queued", {}, 15, Due.EXPIRE),
        ("sent", {}, 4.9, Due.NOTHING),
        ("sent", {}, 5, Due.RESEND),
        ("sent", {"sends": 2, "last_sent_at": seconds(5)}, 14.9, Due.NOTHING),
        ("sent", {"sends": 2, "last_sent_at": seconds(5)}, 15, Due.GIVE_UP),
        ("sent", {"sends": 2, "last_sent_at": seconds(14)}, 18.9, Due.NOTHING),
        ("sent", {"sends": 2, "expires_at": seconds(60)}, 15, Due.RESEND),
        ("sent", {"sends": 3, "expires_at": seconds(60)}, 59, Due.NOTHING),
        ("accepted", {"accepted_at": NOON}, 9.9, Due.NOTHING),
        ("accepted", {"accepted_at": NOON}, 10, Due.GIVE_UP),
        ("accepted", {"accepted_at": NOON, "runs": False, "run_seconds": 0}, 14.9, Due.NOTHING),
        ("accepted", {"accepted_at": NOON, "runs": False, "run_seconds": 0}, 15, Due.GIVE_UP),
        ("started", {"started_at": NOON}, 134.9, Due.NOTHING),
        ("started", {"started_at": NOON}, 135, Due.GIVE_UP),
        ("started", {"started_at": NOON, "rebooted_at": seconds(30)}, 39.9, Due.NOTHING),
        ("started", {"started_at": NOON, "rebooted_at": seconds(30)}, 40, Due.BROKEN_OFF),
        ("done", {}, 999, Due.NOTHING),
        ("unknown", {}, 999, Due.NOTHING),
    ],
)
def test_time_asks_for_what_the_contract_says(state, fields, at, expected):
    assert due(progress(state, **fields), seconds(at)) == expected
