from pathlib import Path

import pytest

from firmware_sim.csv_file import CsvNotUnderstood, read_csv

EPOCH_2020_US = 1_577_836_800_000_000


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "bench.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_semicolons_labels_and_exact_numbers(tmp_path):
    read = read_csv(
        write(
            tmp_path,
            "datetime;Current;Volume Flow RateRMS;anomaly\n"
            "2020-01-01 00:00:00;0.1;32.0;0.0\n"
            "2020-01-01 00:00:01;74.93588199999998;1e-3;1.0\n",
        )
    )
    assert read.delimiter == ";"
    assert read.time_column == "datetime"
    assert read.t_us.tolist() == [EPOCH_2020_US, EPOCH_2020_US + 1_000_000]
    assert [c.name for c in read.columns] == ["Current", "Volume Flow RateRMS", "anomaly"]
    assert [c.name for c in read.measured()] == ["Current", "Volume Flow RateRMS"]
    assert [c.name for c in read.measured(["anomaly"])] == ["anomaly"]
    assert read.columns[0].v.tolist() == [0.1, 74.93588199999998]


def test_order_and_repeated_times_stay_as_in_the_file(tmp_path):
    read = read_csv(
        write(tmp_path, "timestamp,value\n2020-01-01 00:10,1.5\n2020-01-01 00:05,2.5\n2020-01-01 00:10,3.5\n")
    )
    minute = 60_000_000
    assert [(t - EPOCH_2020_US) // minute for t in read.t_us.tolist()] == [10, 5, 10]
    assert read.columns[0].v.tolist() == [1.5, 2.5, 3.5]


def test_decimal_commas_and_day_first_dates(tmp_path):
    read = read_csv(write(tmp_path, "Zeit;Druck\r\n01.01.2020 00:00:00,250;6,314\r\n1.1.2020 00:00:01;-0,5\r\n"))
    assert read.t_us.tolist() == [EPOCH_2020_US + 250_000, EPOCH_2020_US + 1_000_000]
    assert read.columns[0].v.tolist() == [6.314, -0.5]


@pytest.mark.parametrize(
    ("head", "cells", "apart_us"),
    [
        ("timestamp", ("1577836800.25", "1577836800.5"), 250_000),
        ("timestamp", ("1577836800250", "1577836800500"), 250_000),
        ("ts", ("1577836800250000", "1577836800500000"), 250_000),
        ("t", ("0.0", "0.001"), 1_000),
        ("time_ms", ("5", "6.5"), 1_500),
        ("Time (s)", ("0.1", "0.3"), 200_000),
        ("datetime", ("2020-01-01T00:00:00+02:00", "2020-01-01T00:00:00Z"), 7_200_000_000),
        ("date", ("2020/01/01 00:00:00", "2020/01/01 00:00:00.000001"), 1),
    ],
)
def test_times_in_many_forms(tmp_path, head, cells, apart_us):
    read = read_csv(write(tmp_path, f"load,{head}\n7.5,{cells[0]}\n7.0,{cells[1]}\n"))
    assert read.time_column == head
    assert read.t_us[1] - read.t_us[0] == apart_us


def test_a_file_without_header(tmp_path):
    read = read_csv(write(tmp_path, "2020-01-01 00:00:00\t1.5\t7\n2020-01-01 00:00:01\t2.5\t8\n"))
    assert [c.name for c in read.columns] == ["column 2", "column 3"]
    assert read.t_us.size == 2


def test_empty_cells_are_no_samples_and_bad_ones_are_counted(tmp_path):
    text = (
        "time,a,b,note\n2020-01-01 00:00:00,1,,x\n2020-01-01 00:00:01,nan,2,y\nsoon,5,5,z\n2020-01-01 00:00:03,3,4,\n"
    )
    read = read_csv(write(tmp_path, text))
    a, b = read.columns
    assert (a.row.tolist(), a.v.tolist()) == ([0, 2], [1.0, 3.0])
    assert (b.row.tolist(), b.v.tolist()) == ([1, 2], [2.0, 4.0])
    assert read.unreadable == 2


def test_names_that_repeat_stay_apart(tmp_path):
    read = read_csv(write(tmp_path, "time,T,T,\n2020-01-01,1,2,3\n2020-01-02,4,5,6\n"))
    assert [c.name for c in read.columns] == ["T", "T (2)", "column 4"]


def test_byte_order_mark_and_old_code_page(tmp_path):
    assert read_csv(write(tmp_path, "\ufefftime,v\n2020-01-01,1\n".encode())).time_column == "time"
    read = read_csv(write(tmp_path, "time,Temp \xb0C\n2020-01-01,1\n".encode("cp1252")))
    assert read.columns[0].name == "Temp °C"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty|no delimiter"),
        ("time,v\n", "a header and no rows"),
        ("just text\nmore text\n", "no delimiter"),
        ("name,v\na,1\nb,2\n", "no time column among name, v"),
        ("time,note\n2020-01-01,a\n2020-01-02,b\n", "no numeric column"),
        (b"\x89PNG\x00\x00", "binary"),
    ],
)
def test_what_cannot_be_replayed_says_why(tmp_path, text, says):
    with pytest.raises(CsvNotUnderstood, match=says):
        read_csv(write(tmp_path, text))


def test_missing_file_and_unknown_column(tmp_path):
    with pytest.raises(CsvNotUnderstood, match="cannot be read: No such file"):
        read_csv(tmp_path / "none.csv")
    read = read_csv(write(tmp_path, "time,v\n2020-01-01,1.5\n"))
    with pytest.raises(CsvNotUnderstood, match="no numeric column 'w'; it has v"):
        read.measured(["w"])
