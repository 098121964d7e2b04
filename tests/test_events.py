import math

import pytest

from lab.events import (
    DONE,
    FAILED,
    STOPPED,
    Evaluated,
    Finished,
    Memory,
    Reported,
    Sample,
    Saved,
    Stage,
    Started,
    Step,
    Warned,
    from_lines,
    to_line,
)
from lab.history import fold, smoothed, stride, throughput

STARTED = Started(10, 1000, 10, "generate", "overlap", "CPU", 90, 10, ("a", "b"))


def step(number: int, seconds: float | None = None, held: int = 5) -> Step:
    return Step(
        number, 1 / number, 0.1, 1.0, 100, seconds if seconds is not None else number * 0.5, Memory(at_once=held)
    )


EVENTS = [
    Stage("Loading"),
    Warned("short", "mend it"),
    STARTED,
    Evaluated(0, 2.0, 0.1, {"chrf": 0.1}, 1.5, True),
    step(1),
    step(2, held=9),
    step(3),
    Evaluated(3, 1.0, 0.6, {"chrf": 0.6}),
    Sample(3, "Hi", "Ahoy"),
    Saved(3, "adapter", 99),
    Reported(3, {"ranks": {"q": 2}}),
    Finished(DONE, 3, seconds=4.0),
]


def test_every_event_survives_its_line():
    assert from_lines("".join(map(to_line, EVENTS))) == EVENTS


def test_a_torn_last_line_is_left_out_and_a_damaged_one_is_told():
    text = "".join(map(to_line, EVENTS))
    assert from_lines(text[:-5]) == EVENTS[:-1]
    with pytest.raises(ValueError, match="line 2"):
        from_lines(text.replace('"event": "warned"', '"event": "wrned"'))


def test_numbers_that_json_lacks_become_null_and_come_back_as_nan():
    line = to_line(Step(1, math.nan, 0.1, math.inf, 1, 1.0))
    assert "null" in line
    back = from_lines(line)[0]
    assert math.isnan(back.loss)
    assert math.isnan(back.grad_norm)


def test_fields_of_a_newer_lab_are_ignored():
    assert from_lines('{"event": "stage", "text": "x", "colour": 3}\n') == [Stage("x")]


def test_the_history_tells_the_run():
    history = fold(EVENTS)
    assert history.started == STARTED
    assert (history.base.score, history.last.score) == (0.1, 0.6)
    assert history.step == 3
    assert history.peak.total == 9
    assert history.facts == {"ranks": {"q": 2}}
    assert history.seconds == 4.0
    assert history.tokens_per_second == pytest.approx(200 / 1.0)


def test_a_resumed_run_drops_what_came_after_its_checkpoint():
    again = Started(10, 1000, 10, "generate", "overlap", "CPU", 90, 10, first_step=2)
    history = fold([*EVENTS, again])
    assert [item.step for item in history.steps] == [1, 2]
    assert history.finished is None
    assert history.last is None


def test_time_left_is_known_after_the_first_step():
    assert fold([STARTED]).seconds_left is None
    assert fold([STARTED, step(1, 2.0)]).seconds_left == pytest.approx(18.0)


def session(first: int, last: int, finished: Finished | None, pace: float = 1.0, before: float = 0.0) -> list:
    """The events of one session from step `first` + 1 to `last`."""
    started = Started(10, 1000, 10, "generate", "overlap", "CPU", 90, 10, first_step=first)
    steps = [step(number, before + pace * (number - first)) for number in range(first + 1, last + 1)]
    return [Stage("Loading"), started, *steps, *([finished] if finished else [])]


def test_the_seconds_of_an_older_labs_sessions_are_added():
    first = session(0, 4, Finished(STOPPED, 4, seconds=6.0))
    assert fold(first).seconds == 6.0
    second = session(4, 10, Finished(DONE, 10, seconds=9.0), before=4.0)
    assert fold([*first, *second]).seconds == 15.0
    assert fold([*first, *second]).finished.seconds == 15.0


def test_the_seconds_of_a_newer_log_are_the_whole_already():
    first = session(0, 4, Finished(STOPPED, 4, seconds=6.0, earlier=0.0))
    second = session(4, 10, Finished(DONE, 10, seconds=15.0, earlier=6.0), before=4.0)
    assert fold([*first, *second]).seconds == 15.0


def test_a_session_whose_process_was_killed_counts_with_its_steps():
    killed = session(0, 6, None)
    assert fold(killed).seconds == 6.0
    again = session(4, 10, Finished(DONE, 10, seconds=8.0), before=4.0)
    assert fold([*killed, *again[:4]]).seconds == 6.0 + 2.0
    assert fold([*killed, *again]).seconds == 6.0 + 8.0


def test_a_session_that_fails_before_its_first_step_takes_nothing_away():
    first = session(0, 4, Finished(STOPPED, 4, seconds=6.0))
    failed = [Stage("Loading"), Finished(FAILED, 0, "no such model", seconds=2.0)]
    assert fold([*first, *failed]).seconds == 8.0
    assert fold([*first, *failed, *session(4, 10, Finished(DONE, 10, seconds=9.0), before=4.0)]).seconds == 17.0


def test_a_run_that_starts_anew_counts_anew():
    first = session(0, 4, Finished(STOPPED, 4, seconds=6.0))
    assert fold([*first, *session(0, 10, Finished(DONE, 10, seconds=12.0))]).seconds == 12.0


def test_an_end_that_says_no_seconds_is_not_before_its_last_step():
    assert fold(session(0, 4, Finished(FAILED, error="The trainer broke."))).seconds == 4.0


def test_time_left_after_a_resume_is_at_the_pace_of_the_steps():
    first = session(0, 4, Finished(STOPPED, 4, seconds=6.0), pace=2.0)
    assert fold(first).seconds_left is None
    assert fold(first).seconds_to_go == 6 * 2.0
    begun = session(4, 4, None)
    assert fold([*first, *begun]).seconds_left == 6 * 2.0
    on = session(4, 6, None, pace=3.0, before=8.0)
    assert fold([*first, *on]).seconds_left == 4 * 3.0


def test_a_run_that_starts_anew_has_the_base_of_its_last_start():
    events = [Evaluated(0, 2.0, 0.5, base=True), Sample(0, "Hi", "Ahoy", base=True)]
    again = [Evaluated(0, 1.0, 0.4, base=True), Sample(0, "Hi", "Hello", base=True)]
    history = fold([STARTED, *events, step(1), STARTED, *again])
    assert [item.score for item in history.evaluations] == [0.4]
    assert [item.reply for item in history.samples] == ["Hello"]


def test_what_each_session_warns_of_is_listed_once():
    assert fold([*EVENTS, *EVENTS]).warnings == [Warned("short", "mend it")]


def test_an_older_labs_score_of_the_rows_before_a_stop_is_no_score():
    partial = [
        Stage("Loading"),
        STARTED,
        Evaluated(0, 2.0, 0.7188, base=True),
        Sample(0, "Hi", "Ahoy", base=True),
        Finished(STOPPED, 0, seconds=1.0),
    ]
    assert fold(partial).base is None
    assert fold([*partial, STARTED, step(1), Finished(DONE, 1, seconds=2.0)]).base is None
    whole = [*partial[:-1], Finished(STOPPED, 0, seconds=1.0, earlier=0.0)]
    assert fold(whole).base.score == 0.7188


def test_thinning_keeps_points_where_they_were():
    assert [stride(count, 16) for count in (0, 16, 17, 100)] == [1, 1, 2, 8]
    assert all(stride(2 * count, 16) % stride(count, 16) == 0 for count in range(1, 200))


def test_smoothing_starts_at_the_first_value():
    assert smoothed([3.0, 3.0, 3.0]) == pytest.approx([3.0, 3.0, 3.0])
    assert smoothed([1.0, 0.0], 0.5) == pytest.approx([1.0, 1 / 3])


def test_a_loss_that_is_no_number_does_not_spoil_those_that_follow():
    first, second, last = smoothed([math.nan, 2.0, math.nan])
    assert math.isnan(first)
    assert (second, last) == (pytest.approx(2.0), pytest.approx(2.0))


def test_throughput_is_that_of_ten_steps():
    slow = [step(number, float(number)) for number in range(1, 4)]
    steps = slow + [step(number, 3 + 0.5 * (number - 3)) for number in range(4, 20)]
    tokens = steps[0].tokens
    assert throughput([]) is None
    assert throughput(steps, 0) is None
    assert throughput(steps, 1) == pytest.approx(tokens)
    assert throughput(steps) == throughput(steps, len(steps) - 1) == pytest.approx(tokens / 0.5)
