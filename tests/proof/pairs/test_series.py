"""An owner's own series: of days, of another season, with gaps, of either sign, and with a future that is known."""

from __future__ import annotations

import csv
import random
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.proof import tasks
from tests.proof.kinds import KINDS, name_of
from tests.proof.pairs.test_swap import prove, source
from tests.proof.project import Project, substitute

SERIES = [kind for kind in KINDS if kind["task"] == "forecasting"]
SCHEMA = '''\
"""The contract."""

from typing import Literal

from .core.contract.columns import Category, Column, Date, Number

SERIES = "shop №"
DAY = "day"
TARGET = Number(name="net sales (k€)")
FREQUENCY: Literal["d", "w", "mo", "q", "y"] = "d"
SEASON = 7
HISTORY = 14
HORIZON = 2
ROW_ID: str | None = "id"
MISSING = ("", "NA")

INPUTS: tuple[Column, ...] = (
    Category(name=SERIES),
    Date(name="start"),
    *(Number(name=f"lag_{lag}", nullable=lag > 1) for lag in range(1, HISTORY + 1)),
    Category(name="class", description='Whether there is a "sale" at the start', values=("sale", "none")),
)
FEATURES: tuple[Column, ...] = (
    *(Number(name=name) for name in ("level", *(f"relative_{lag}" for lag in range(1, HISTORY + 1)))),
    *(Number(name=f"{name}_ahead_{period}") for name in ("season", "weekday") for period in range(1, HORIZON + 1)),
    Category(name="class"),
)
AUDIT: tuple[Column, ...] = ()
SLICES: dict[str, tuple[float, ...]] = {"class": ()}
'''
MONTHS = '**{f"month_ahead_{period}": (month + period - 1) % 12 + 1.0 for period in periods},'
WEEKDAYS = '**{f"weekday_ahead_{period}": (day + period + 2) % 7 + 0.0 for period in periods},'
FIRST, DAYS = date(2024, 1, 1), 300


@pytest.mark.parametrize("project", SERIES, ids=name_of, indirect=True)
def test_other_series_of_days_with_what_is_known_of_the_future(project: Project, tmp_path: Path) -> None:
    copy = project.copy(tmp_path / "copy")
    rng = random.Random(0)
    with (copy.folder / "data/shops.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["day", "net sales (k€)", "shop №", "class"])
        for shop in range(8):
            for number in range(DAYS):
                day, gap, kind = FIRST + timedelta(days=number), rng.random(), rng.choice(["sale", "none"])
                value = (shop + 1) * ((number % 7 - 2) * 10 + 40 * (kind == "sale") + rng.gauss(0, 4))
                if gap > 0.02:
                    table.writerow([day, "NA" if gap > 0.99 else f"{value:.2f}", f"№ {shop}", kind])
    (copy.package / "schema.py").write_text(SCHEMA, "utf-8")
    substitute(
        copy.package / "features.py",
        ('month = columns["start"].astype("datetime64[M]")', 'day = columns["start"]'),
        (MONTHS, WEEKDAYS),
    )
    substitute(
        copy.package / "source.py",
        (
            "    return cut_training(sources.scan(params.data.source, params.data.query).collect())\n",
            """\
    table = sources.scan(params.data.source, params.data.query).collect()
    known = table.select("shop №", pl.col("day").str.to_date().alias("start"), "class")
    return cut_training(table).join(known, on=["shop №", "start"])
""",
        ),
    )
    copy.parameters((f"source: {copy.source}", "source: data/shops.csv"))
    touched = {"data/shops.csv", "params.yaml", *source(copy, "schema.py", "features.py", "source.py")}
    known = prove(copy, touched)
    assert [column["name"] for column in known["signature"]["outputs"]][:3] == ["q10_1", "q10_2", "q50_1"]
    request = {"shop №": "a new one", "start": "2025-01-06", "lag_1": 20, "lag_7": -20, "class": "none"}
    with copy.served() as service:
        usual, on_sale = service.predict([request, request | {"class": "sale"}])
        assert tasks.IS_SOUND[copy.task](usual)
        assert on_sale["q50"][0] > usual["q50"][0]
        status, answer = service.post({"instances": [{name: request[name] for name in request if name != "lag_1"}]})
        assert (status, answer["detail"][0]["loc"]) == (422, ["body", "instances", 0, "lag_1"])


@pytest.mark.parametrize("project", SERIES, ids=name_of, indirect=True)
def test_every_series_is_forecast_from_the_end_of_the_table(champion: Project, tmp_path: Path) -> None:
    done = champion.json("predict", champion.source, tmp_path / "out")
    with (champion.cwd / champion.source).open(newline="") as file:
        newest = {row["city"]: row["sales"] for row in csv.DictReader(file)}
    assert done["rows"] == len(newest)
    assert done["invalid"] == sum(value == "" for value in newest.values())
    for shard in ("0/2", "1/2"):
        champion("predict", champion.source, tmp_path / "shards", "--shard", shard)
    script = """
import polars, sys
whole, shards = (polars.read_parquet(f"{folder}/*.parquet").sort("id") for folder in sys.argv[1:])
assert whole.equals(shards), (whole, shards)
"""
    champion.tool(
        "uv", "run", "--project", champion.folder, "python", "-c", script, tmp_path / "out", tmp_path / "shards"
    )
    slips = {"2015-07-15": "whole number of periods", "2015-06-01": "more than once", "yesterday": "hold bad values"}
    text = (champion.cwd / champion.source).read_text("utf-8")
    for day, sentence in slips.items():
        (tmp_path / "slip.csv").write_text(text.rstrip("\n").rpartition("\n")[0] + f"\nAbilene,{day},1\n", "utf-8")
        assert sentence in champion.refuses("predict", tmp_path / "slip.csv", tmp_path / "slips")
