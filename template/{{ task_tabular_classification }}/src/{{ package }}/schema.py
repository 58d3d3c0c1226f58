"""The contract: what the data hold, what a request carries, and what the model takes.

The data's checks, the service's request type and its page, the signature in the bundle, the profile that drift is
measured against, the slices of the model card and the rows that the tests use all derive from this file.
"""

from .core.contract.columns import Category, Column, Number

ROW_ID: str | None = "application_id"
"""The column that identifies a row, and so decides whether it is held out. None: the inputs identify it."""
GROUP: str | None = None
"""A column whose rows belong together, such as a customer's number: held out, and resampled for intervals, as one."""
TIME: str | None = None
"""A column of days: the newest days are held out instead of rows by hash."""

TARGET = "credit_risk"
LABELS = ("good", "bad")
"""The values of the target. Of two, the second is the one to be found: metrics and plots are about it."""
FAVOURABLE: str | None = "good"
"""The label that people want: the gate compares who gets it. None if there is no such label."""

MISSING: tuple[str, ...] = ("",)
"""Texts that mean a missing value in data and requests, such as "NA"; the empty text always does."""

INPUTS: tuple[Column, ...] = (
    Category(
        name="checking_account",
        description="Balance of the checking account, in Deutsche Mark",
        values=("none", "below_0", "0_to_200", "200_or_more"),
    ),
    Number(name="duration_months", description="Duration of the credit, in months", minimum=1, maximum=120),
    Category(
        name="credit_history",
        description="How earlier credits were paid back",
        values=("none_taken", "all_paid", "paid_so_far", "delayed", "critical"),
    ),
    Category(
        name="purpose",
        description="What the credit is for",
        values=(
            "appliances",
            "business",
            "education",
            "furniture",
            "new_car",
            "other",
            "radio_tv",
            "repairs",
            "retraining",
            "used_car",
        ),
    ),
    Number(name="credit_amount", description="Amount of the credit, in Deutsche Mark", minimum=1, maximum=1e6),
    Category(
        name="savings",
        description="Savings, in Deutsche Mark; missing where unknown or none",
        values=("below_100", "100_to_500", "500_to_1000", "1000_or_more"),
        nullable=True,
    ),
    Category(
        name="employment",
        description="Time in the present employment",
        values=("unemployed", "below_1_year", "1_to_4_years", "4_to_7_years", "7_years_or_more"),
    ),
    Number(name="instalment_rate", description="Instalment, in percent of income, in four steps", minimum=1, maximum=4),
    Category(
        name="other_debtors",
        description="Others who are liable",
        values=("none", "co_applicant", "guarantor"),
    ),
    Number(name="residence_years", description="Time at the present address, in four steps", minimum=1, maximum=4),
    Category(
        name="property",
        description="The most valuable property",
        values=("real_estate", "building_savings", "car_or_other", "none"),
    ),
    Number(name="age", description="Age, in years", minimum=18, maximum=120),
    Category(name="other_plans", description="Instalment plans elsewhere", values=("bank", "stores", "none")),
    Category(name="housing", description="Housing", values=("own", "rent", "free")),
    Number(name="existing_credits", description="Credits at this bank", minimum=0, maximum=100),
    Category(
        name="job",
        description="Kind of work",
        values=("unskilled_non_resident", "unskilled", "skilled", "highly_skilled"),
    ),
    Number(name="dependants", description="People to be provided for", minimum=0, maximum=50),
    Category(name="telephone", description="Whether a telephone is registered", values=("yes", "no")),
)
"""What a request carries."""

FEATURES: tuple[Column, ...] = INPUTS
"""What the model takes, from what `features.py` returns; a derived one is added as `(*INPUTS, Number(name=…))`."""

AUDIT: tuple[Column, ...] = (
    Category(name="sex", description="Sex", values=("female", "male")),
    Category(name="foreign_worker", description="Whether a foreign worker", values=("yes", "no")),
)
"""What the data hold for slices only: the model never sees it, and no request carries it."""

SLICES: dict[str, tuple[float, ...]] = {"sex": (), "foreign_worker": (), "age": (25.0, 60.0)}
"""The groups that the model card compares: each value of a category, or a number's ranges between these bounds."""

PROTECTED: tuple[str, ...] = ("sex", "foreign_worker", "age")
"""The columns of `SLICES` whose groups must fare alike: the gate compares each with all others, as `gate.fairness` in
`params.yaml` says."""

CHANGEABLE: tuple[str, ...] = ("duration_months", "credit_amount", "other_debtors", "savings")
"""The columns of `INPUTS` that a person can change: an explanation tells which other values of one would change the
prediction."""
