"""Line protocol: what the documentation allows is taken, what it forbids is named, and both ways in give the same."""

import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract.formats.channels import ChannelKey, Decoded, TooManySamples
from contract.formats.line_protocol import PRECISIONS_NS, PrecisionUnknown, decode
from contract.packets import NO_TIME
from tests.cases import cases
from tests.contract.formats.printing import Sample, columns, lines, refusals, samples_of

T = 1_795_420_800_000_000  # 2026-11-23T08:00:00Z in µs

names = st.text("ab ,=\\\"'/#é🍭", min_size=1, max_size=6).filter(lambda text: not text.endswith("\\"))
values = st.floats(allow_nan=False, allow_infinity=False)
times = st.integers(-9_000_000_000_000_000, 9_000_000_000_000_000)


def escaped(text: str, special: str) -> str:
    return re.sub(f"([{special}])", r"\\\1", text)


def series(measurement: str, tags: dict[str, str]) -> str:
    parts = sorted((escaped(key, " ,=").encode(), escaped(value, " ,=")) for key, value in tags.items())
    return escaped(measurement, " ,") + "".join(f",{key.decode()}={value}" for key, value in parts)


keys = st.builds(
    lambda measurement, tags, field: ChannelKey(
        f"{series(measurement, tags)}/{escaped(field, ' ,=').replace('/', chr(92) + '/')}"
    ),
    names.filter(lambda text: not text.startswith("#")),
    st.dictionaries(names, names, max_size=3),
    names,
)


class TestPrinting:
    @cases(40)
    @given(st.lists(st.builds(Sample, keys, times | st.just(NO_TIME), values), max_size=20))
    def test_what_is_printed_is_read_back(self, samples: list[Sample]) -> None:
        decoded = decode(lines(samples))
        assert decoded.rejects == []
        assert samples_of(decoded) == samples

    @cases(40)
    @given(st.lists(st.builds(Sample, keys, times, values), max_size=6))
    def test_so_it_is_in_milliseconds(self, samples: list[Sample]) -> None:
        samples = [sample._replace(t_us=sample.t_us // 1000 * 1000) for sample in samples]
        assert samples_of(decode(lines(samples, unit_us=1000), "ms")) == samples


def outcome(decoded: Decoded) -> tuple[object, ...]:
    rejects = [(r.series, r.index, r.code, r.t_us) for r in decoded.rejects]
    taken = [(c.key, c.index.tolist(), c.t_us.tolist(), c.raw.view(np.int64).tolist()) for c in decoded.channels]
    return taken, rejects, decoded.count


TOKENS = [b" ", b",", b"=", b"a", b"a", b"f", b"k", b"1", b"-1.5e3", b"2i", b"7u", b"t", b"False", b"nan", b"1e999"]
TOKENS += [b'"x"', b'"', b"\\", b"#", b"\xff", b"\x00", b"/", b"007", b".5", b"1.", b"99999999999999999999i", b"\t"]
GOOD = st.builds(
    lambda head, fields, time: head + b" " + b",".join(fields) + time,
    st.sampled_from([b"m", b"m,a=1", b"m,b=2,a=1", b"m,a=1,a=2", b"m,a=", b"#m", b"m\\ n", "é,k=ü".encode()]),
    st.lists(
        st.sampled_from([b"f=1", b"g=-2.5", b"h=3i", b"f=9", b"on=t", b's="x"', b"n=NaN", b"=1", b"\xff=1"]), min_size=1
    ),
    st.sampled_from(
        [b" 1", b" -5", b" 0", b"", b" 1795420800000000000", b" 9223372036854775807", b" 1 2", b" x", b" 012"]
    ),
)
BAD = st.lists(st.sampled_from(TOKENS), max_size=12).map(b"".join)


DIGITS = st.text("0123456789", min_size=1, max_size=25)
NUMBERS = st.builds(
    lambda sign, whole, rest: (sign + whole + rest).encode(),
    st.sampled_from(["", "-"]),
    DIGITS,
    st.one_of(
        st.sampled_from(["", ".", "i", "u", "e5", "E-7"]),
        DIGITS.map(lambda digits: f".{digits}"),
        st.integers(-400, 400).map(lambda e: f"e{e}"),
    ),
)


class TestBothWays:
    """A tab at the end changes nothing about a line but that it is read strictly."""

    @cases(40)
    @given(st.lists(GOOD | BAD, max_size=12), st.sampled_from(["ns", "s"]))
    @example([b"a f=1 1", b"#a f=1 1", b"a =1 1", b",t=1 f=1 1", b"a,t= f=1 1", b" f=1 1", b"a f= 1", b"a f=1 "], "ns")
    @example([b"a f=1 1", b"a f=1e999 1", b"a f=1 -9223372036854775808", b"a f=1,f=2 1"], "ns")
    @example([b"a f=1 9223372036", b"a f=1 9223372037", b"a f=1 -9223372036854775808"], "s")
    def test_plain_lines_are_taken_as_a_strict_reading_takes_them(self, rows: list[bytes], precision: str) -> None:
        fast = decode(b"\n".join(rows), precision)
        strict = decode(b"\n".join(row + b"\t" for row in rows), precision)
        assert outcome(fast) == outcome(strict)

    @cases(40)
    @given(st.lists(NUMBERS, min_size=1, max_size=8))
    @example([b"-0"])
    @example([b"-0i"])
    @example([b"1", b"1e999"])
    def test_numbers_of_any_length_come_out_bit_for_bit(self, numbers: list[bytes]) -> None:
        rows = [b"a f=%b 1" % number for number in numbers]
        fast = decode(b"\n".join(rows))
        assert outcome(fast) == outcome(decode(b"\n".join(row + b"\t" for row in rows)))
        plain = [float(number) for number in numbers if number[-1:] not in {b"i", b"u"}]
        assert set(fast.channels[0].raw.tolist()) >= {value for value in plain if abs(value) < np.inf}

    def test_a_fault_in_one_line_of_many_costs_that_line(self) -> None:
        rows = [b"m,n=%d f=%d %d" % (i % 7, i, i * 1000) for i in range(1000)]
        good = samples_of(decode(b"\n".join(rows)))
        rows[500] = b"m,n=3 f=12x 5"
        decoded = decode(b"\n".join(rows))
        assert samples_of(decoded) == good[:500] + good[501:]
        assert refusals(decoded) == [(500, "value-invalid", "m,n=3/f")]


class TestGoldenPackets:
    """Own packets after the sections of "Line protocol" in the InfluxDB 2 reference."""

    def test_elements(self) -> None:
        body = b"pump,site=hall,unit=A rpm=2990,flow=12.5 1795420800000000000\n"
        assert columns(decode(body)) == {
            "pump,site=hall,unit=A/flow": [(0, T, 12.5)],
            "pump,site=hall,unit=A/rpm": [(0, T, 2990.0)],
        }

    def test_data_types(self) -> None:
        body = b"m a=1,b=1.0,c=-1.234456e+78,d=12i,e=-9223372036854775808i,f=18446744073709551615u 0"
        assert {name[2:]: got[0][2] for name, got in columns(decode(body)).items()} == {
            "a": 1.0,
            "b": 1.0,
            "c": -1.234456e78,
            "d": 12.0,
            "e": -(2.0**63),
            "f": 2.0**64,
        }

    @pytest.mark.parametrize("word", ["t", "T", "true", "True", "TRUE"])
    def test_booleans(self, word: str) -> None:
        other = word.replace("t", "f").replace("T", "F").replace("rue", "alse").replace("RUE", "ALSE")
        assert columns(decode(f"m on={word},off={other} 0".encode())) == {"m/on": [(0, 0, 1.0)], "m/off": [(0, 0, 0.0)]}

    def test_strings_are_refused_and_the_fields_beside_them_taken(self) -> None:
        body = rb'm state="warm, \"not\" hot = ok\\",temp=61 0'
        decoded = decode(body)
        assert columns(decoded) == {"m/state": [], "m/temp": [(0, 0, 61.0)]}
        assert refusals(decoded) == [(0, "value-not-a-number", "m/state")]

    def test_quotes_outside_of_values_are_letters(self) -> None:
        assert list(columns(decode(b'"m",\'t\'="v" "f"=1 0'))) == ['"m",\'t\'="v"/"f"']

    def test_special_characters(self) -> None:
        body = rb"my\ Pump\,A,tag\ Key=a\=b\,c field\ Key\=1=5 0"
        assert columns(decode(body)) == {r"my\ Pump\,A,tag\ Key=a\=b\,c/field\ Key\=1": [(0, 0, 5.0)]}
        assert columns(decode(rb"C:\Temp,p=\\x f=1 0")) == {r"C:\Temp,p=\\x/f": [(0, 0, 1.0)]}

    def test_comments_blank_lines_and_line_ends(self) -> None:
        body = b'# a comment = "\r\n\r\n  \n\tm f=1 1000\r\n#\nm f=2 2000\r\n m   f=3   3000  '
        assert columns(decode(body)) == {"m/f": [(3, 1, 1.0), (5, 2, 2.0), (6, 3, 3.0)]}

    def test_a_missing_time_stays_missing(self) -> None:
        assert columns(decode(b"m f=1\nm,a=b f=2 ")) == {"m/f": [(0, NO_TIME, 1.0)], "m,a=b/f": [(1, NO_TIME, 2.0)]}

    @pytest.mark.parametrize(
        ("precision", "t_us"),
        [
            ("ns", 0),
            ("n", 0),
            ("us", 7),
            ("u", 7),
            ("ms", 7_000),
            ("s", 7_000_000),
            ("m", 420_000_000),
            ("h", 25_200_000_000),
        ],
    )
    def test_the_precisions_of_both_versions(self, precision: str, t_us: int) -> None:
        assert columns(decode(b"m f=1 7\nm f=2 -7\t", precision)) == {"m/f": [(0, t_us, 1.0), (1, -t_us, 2.0)]}
        assert len(PRECISIONS_NS) == 8

    @pytest.mark.parametrize(
        ("ns", "us"), [(499, 0), (500, 1), (1499, 1), (1500, 2), (-500, 0), (-501, -1), (-1500, -1)]
    )
    def test_nanoseconds_go_to_the_nearest_microsecond(self, ns: int, us: int) -> None:
        assert decode(b"m f=1 %d" % ns).channels[0].t_us.tolist() == [us]
        assert decode(b"m f=1 %d\t" % ns).channels[0].t_us.tolist() == [us]

    def test_the_order_of_tags_makes_no_other_channel(self) -> None:
        assert columns(decode(b"m,b=2,a=1,c=3 f=1 1000\nm,c=3,b=2,a=1 f=2 2000")) == {
            "m,a=1,b=2,c=3/f": [(0, 1, 1.0), (1, 2, 2.0)]
        }

    def test_a_slash_in_names_makes_no_channel_of_another(self) -> None:
        assert list(columns(decode(b"a/b c=1 0\na b/c=1 0"))) == ["a/b/c", r"a/b\/c"]

    def test_of_a_field_given_twice_the_last_stays(self) -> None:
        decoded = decode(b"m f=1,g=2,f=3 0")
        assert columns(decoded) == {"m/f": [(0, 0, 3.0)], "m/g": [(0, 0, 2.0)]}
        assert refusals(decoded) == [(0, "value-repeated", "m/f")]


class TestFaults:
    @pytest.mark.parametrize(
        ("line", "code"),
        [
            (b"m", "fields-missing"),
            (b"m,a=1", "fields-missing"),
            (b"m f", "field-invalid"),
            (b"m f=", "field-invalid"),
            (b"m f=1,", "field-invalid"),
            (b"m f=1,,g=2", "field-invalid"),
            (b'm f="x', "field-invalid"),
            (b'm f="x"y', "field-invalid"),
            (b",a=1 f=1", "measurement-missing"),
            (b"m,a f=1", "tag-invalid"),
            (b"m,a= f=1", "tag-invalid"),
            (b"m,=1 f=1", "tag-invalid"),
            (b"m,a=1=2 f=1", "tag-invalid"),
            (b"m, f=1", "tag-invalid"),
            (b"m,a=1,a=2 f=1", "tag-duplicate"),
            (b"m" + b"".join(b",k%d=1" % i for i in range(129)) + b" f=1", "tags-too-many"),
            (b"m " + b",".join(b"f%d=1" % i for i in range(1001)) + b" 1", "fields-too-many"),
            (b"m " + b",".join(b"%b%d=1" % (b"f" * 900, i) for i in range(80)) + b" 1", "line-too-long"),
            (b"m f=1 " + b"1" * 65_536, "line-too-long"),
            (b"m" * 1001 + b" f=1", "name-invalid"),
            (b"\xff f=1", "name-invalid"),
            (b"m\x00 f=1", "name-invalid"),
            (b"m f=1 x", "time-invalid"),
            (b"m f=1 1.5", "time-invalid"),
            (b"m f=1 1 2", "time-invalid"),
            (b"m f=1 9223372036854775807", "time-invalid"),
            (b"m f=1 " + b"0" * 5000 + b"9" * 21, "time-invalid"),
        ],
    )
    def test_of_a_line_are_named_and_cost_no_other(self, line: bytes, code: str) -> None:
        decoded = decode(b"m g=1 0\n" + line + b"\nm g=2 1000\n")
        assert refusals(decoded) == [(1, code, None)]
        assert columns(decoded) == {"m/g": [(0, 0, 1.0), (2, 1, 2.0)]}
        assert (decoded.count, bool(decoded.rejects[0].detail)) == (3, True)

    @pytest.mark.parametrize(
        ("value", "code"),
        [
            (b"NaN", "value-not-finite"),
            (b"-inf", "value-not-finite"),
            (b"+Infinity", "value-not-finite"),
            (b"1e999", "value-not-finite"),
            (b'""', "value-not-a-number"),
            (b"9223372036854775808i", "value-invalid"),
            (b"18446744073709551616u", "value-invalid"),
            (b"1" * 5000 + b"i", "value-invalid"),
            (b"-1u", "value-invalid"),
            (b"1.5i", "value-invalid"),
            (b"1_000", "value-invalid"),
            (b"+1", "value-invalid"),
            (b"0x10", "value-invalid"),
            (b"1e", "value-invalid"),
            (b".", "value-invalid"),
            (b"1=2", "value-invalid"),
            (b"tRUE", "value-invalid"),
            (b"'x'", "value-invalid"),
        ],
    )
    def test_of_a_value_cost_no_field_beside_it(self, value: bytes, code: str) -> None:
        decoded = decode(b"m a=1,b=%b,c=2 5000" % value)
        assert refusals(decoded) == [(0, code, "m/b")]
        assert decoded.rejects[0].t_us == 5
        assert columns(decoded) == {"m/a": [(0, 5, 1.0)], "m/b": [], "m/c": [(0, 5, 2.0)]}

    def test_a_precision_nobody_knows(self) -> None:
        with pytest.raises(PrecisionUnknown, match=re.escape("not 'fortnight'")):
            decode(b"m f=1 1", "fortnight")

    def test_more_than_one_request_may(self) -> None:
        for body in (b"m f=1 1\n" * 11, b"m f=1\n" * 11, b"m a=1,b=2 1\n" * 6, b"bad\n" * 11, b"\n" * 21, b"#\n" * 21):
            with pytest.raises(TooManySamples):
                decode(body, limit=10)
        assert decode(b"m f=1 1\n" * 10 + b"#\n" * 10, limit=10).count == 10


class TestStrings:
    """A string may hold line breaks, as InfluxDB's own reader has it; what stands in one is never taken for a line."""

    def test_a_line_within_a_string_is_no_line(self) -> None:
        decoded = decode(b'log text="first\nm f=1 1\n",n=5 2000\nm g=2 3000')
        assert columns(decoded) == {"log/text": [], "log/n": [(0, 2, 5.0)], "m/g": [(3, 3, 2.0)]}

    def test_nor_is_it_where_its_own_line_is_broken(self) -> None:
        decoded = decode(b'log text="first\nm f=1 1\n",n=5 soon\nm g=2 3000')
        assert columns(decoded) == {"m/g": [(3, 3, 2.0)]}
        assert refusals(decoded) == [(0, "time-invalid", None)]

    def test_nor_after_a_backslash_or_an_escaped_quote(self) -> None:
        decoded = decode(b'log text="first\\\nm f=1 1\n \\" x=" 2000\nm g=2 3000')
        assert columns(decoded) == {"log/text": [], "m/g": [(3, 3, 2.0)]}

    @pytest.mark.parametrize("open_line", [b'a f="x 1', b'a f="x\\" 1', b'a f="x"y" 1', b'a f="'])
    def test_a_quote_that_closes_nowhere_costs_its_own_line(self, open_line: bytes) -> None:
        decoded = decode(open_line + b'\nm f=1 1000\nb,t="q g=2 2000\nc s="ok",h=3 3000')
        assert columns(decoded) == {"m/f": [(1, 1, 1.0)], 'b,t="q/g': [(2, 2, 2.0)], "c/h": [(3, 3, 3.0)], "c/s": []}
        assert refusals(decoded) == [(0, "field-invalid", None), (3, "value-not-a-number", "c/s")]
