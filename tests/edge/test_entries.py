import json
from uuid import UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from contract.conversion.convert import ProfileVersion
from contract.conversion.profile import Linear
from contract.packets import Reject, decode
from edge.entries import Taken, to_entries
from edge.parse import Reading, parse

SENSOR = UUID("0d9cf9c2-4a52-4a49-9d0b-2a39c1d0b6a1")
DOUBLE = ProfileVersion(1, None, 3_000_000, Linear(2.0, 0.0))
TRIPLE = ProfileVersion(2, 3_000_000, None, Linear(3.0, 0.0))


def entries(sensor_id, readings, versions):
    return to_entries([Taken(sensor_id, reading, versions) for reading in readings])


def bodies(*args):
    return [json.loads(entry.body) for entry in entries(*args)]


def reading(seconds, values, meta=None, seq=None, boot=""):
    return Reading(
        np.array(seconds, dtype=np.int64) * 1_000_000, np.array(values, dtype=np.float64), meta or {}, seq, boot
    )


def test_without_a_profile_only_raw_values_go_on():
    (body,) = bodies(SENSOR, [reading([1], [5])], [])
    assert body == {"sensor_id": str(SENSOR), "t": [1.0], "v": [5.0], "profile_version": 0}


def test_a_change_of_profile_cuts_the_message_and_every_part_has_its_number():
    first, second = bodies(SENSOR, [reading([1, 2, 3, 4], [1, 1, 1, 1], {3: {"x": 1}}, 9, "b")], [DOUBLE, TRIPLE])
    assert (first["p"], first["profile_version"], first["seq"], first["boot"]) == ([2.0, 2.0], 1, 9, "b")
    assert (second["p"], second["profile_version"], second["meta"]) == ([3.0, 3.0], 2, {"1": {"x": 1}})
    assert (second["seq"], second["boot"]) == (9, "b")


def test_rejected_samples_travel_as_null_with_the_reason_and_without_a_time_they_never_had():
    rejects = {0: Reject(0, 0, "time-invalid", "no time"), 3: Reject(0, 3, "value-missing", "null", t_us=4_000_000)}
    read = reading([9, 2, 3, 4], [np.nan, 1, 1, np.nan])._replace(rejects=rejects)
    late, early, last = bodies(SENSOR, [read], [DOUBLE, TRIPLE])
    assert (late["t"], late["v"], late["p"]) == ([None], [None], [None])
    assert late["rejects"] == {"0": {"code": "time-invalid", "detail": "no time"}}
    assert (early["t"], "rejects" in early) == ([2.0], False)
    assert (last["t"], last["v"]) == ([3.0, 4.0], [1.0, None])
    assert last["rejects"] == {"1": {"code": "value-missing", "detail": "null"}}


def test_the_hub_reads_every_reason_as_it_was_told():
    samples = [{"v": 1}, {"v": 2}, {"t": "x", "v": 1}, {"t": 1, "v": "x"}, {"t": 2, "v": 1, "meta": 5}, 7]
    (read,) = parse(json.dumps({"samples": [*samples, {"t": 3, "v": 3}]}).encode(), SENSOR, 9)
    (entry,) = entries(SENSOR, [read], [])
    assert (entry.samples, entry.first_us, entry.last_us) == (7, 9, 3_000_000)
    packet = decode(b'{"series":[' + entry.body + b"]}")
    assert packet.rejects == [read.rejects[place] for place in sorted(read.rejects)]
    assert packet.series[0].raw.tolist() == [3.0]


@given(
    st.lists(
        st.tuples(st.integers(0, 2**52), st.floats(allow_nan=False, allow_infinity=False)), min_size=1, max_size=20
    )
)
def test_times_and_values_arrive_to_the_bit(samples):
    t_us, v = np.array([s[0] for s in samples]), np.array([s[1] for s in samples])
    body = b",".join(entry.body for entry in entries(SENSOR, [Reading(t_us, v, {})], [DOUBLE, TRIPLE]))
    packet = decode(b'{"series":[' + body + b"]}")
    assert packet.rejects == []
    assert np.concatenate([s.t_us for s in packet.series]).tolist() == t_us.tolist()
    assert np.concatenate([s.raw for s in packet.series]).tobytes() == v.tobytes()


def test_vectors_travel_whole_and_unreadable_ones_as_null():
    packet = decode(b'{"samples":[{"t":1,"v":[0.1,0.2]},{"t":2,"v":[3,4]}]}').series[0]
    read = Reading(packet.t_us, np.array([0.2, np.nan]), {}, vectors=packet.vectors)
    (body,) = bodies(SENSOR, [read], [DOUBLE])
    assert (body["v"], "p" in body) == ([[0.1, 0.2], None], False)


def test_entries_say_whose_they_are_and_from_when_to_when():
    (entry,) = entries(SENSOR, [reading([3, 1, 2], [1, 2, 3])], [])
    assert (entry.samples, entry.sensor, entry.first_us, entry.last_us) == (3, str(SENSOR), 1_000_000, 3_000_000)


numbers = st.floats(allow_nan=False, width=32)
samples = st.lists(st.tuples(st.integers(0, 6), numbers), min_size=1, max_size=4)


@given(st.lists(st.tuples(st.integers(0, 2), samples), max_size=8))
def test_many_at_once_are_what_each_is_alone(messages):
    known = [[], [DOUBLE, TRIPLE], [ProfileVersion(1, None, None, Linear(-1.0, 0.5, (0.0, 9.0)))]]
    sensors = [UUID(int=n) for n in range(3)]
    taken = [
        Taken(sensors[n], reading([t for t, _ in rows], [v for _, v in rows], {0: {"n": n}}, n, "b"), known[n])
        for n, rows in messages
    ]
    assert to_entries(taken) == [entry for each in taken for entry in to_entries([each])]
