# %% [markdown]
# # What a model can tell from the readings, and what it only seems to
#
# This reads `machine_learning_curated` through Athena: each row is a distance that a step trainer has measured, beside the
# motion that the owner's phone has felt at the same moment. It learns the distance from the motion, and tests that in two ways:
#
# * on **rows** chosen at random, as many first models are tested;
# * on **people** that the model has never seen. A device has one owner, so no device is in both parts.
#
# Only the second says what the model is worth for the next customer.

# %%
import json
import os
import pathlib

import awswrangler as wr
import boto3
import matplotlib.pyplot as plt
import pandas as pd
from sklearn.dummy import DummyRegressor
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit
from sklearn.neighbors import KNeighborsRegressor

# %% [markdown]
# ## The rows
#
# `tarn.json` beside this notebook says where they are. With the variable `TARN_ATHENA_ENDPOINT` another server is asked in place
# of Athena. `ctas_approach=False` matters: otherwise awswrangler makes a table of the result and drops it again, which the role
# of this notebook may not do.

# %%
config = json.loads(pathlib.Path("tarn.json").read_text())
if config["region"]:
    boto3.setup_default_session(region_name=config["region"])
if os.environ.get("TARN_ATHENA_ENDPOINT"):
    wr.config.athena_endpoint_url = os.environ["TARN_ATHENA_ENDPOINT"]

df = wr.athena.read_sql_query(
    f'SELECT "timestamp", serialnumber, distancefromobject, x, y, z FROM "{config["table"]}"',
    database=config["database"], workgroup=config["workgroup"], ctas_approach=False,
)
df = df.dropna().sort_values(["serialnumber", "timestamp", "x", "y", "z"], ignore_index=True)
print(f"{len(df):,} rows of {df.serialnumber.nunique():,} devices")

# %% [markdown]
# ## How rows belong together
#
# The phone is faster than the step trainer: several motions stand beside one and the same distance. Rows of one moment are
# therefore no independent witnesses, and neither are rows of one person.

# %%
together = df.groupby(["serialnumber", "timestamp"]).size()
print(f"{len(together):,} distances were measured, each stands in {together.mean():.1f} rows")
df[["distancefromobject", "x", "y", "z"]].astype(float).describe().round(2)

# %% [markdown]
# ## The model
#
# A small model guesses `distancefromobject` from the rows that are most alike: in their motion (`x`, `y`, `z`) and in the
# millisecond of the measurement. The millisecond is there on purpose: it is the kind of column that gets into a model unnoticed,
# and by it rows of one moment find each other. What the model is compared with is the plain mean, which has R² = 0: a model
# below that is worth less than none.

# %%
features = pd.DataFrame({
    "x": df.x.astype(float), "y": df.y.astype(float), "z": df.z.astype(float),
    "millisecond": (df.timestamp - df.timestamp.min()).dt.total_seconds() * 1000,
})
target = df.distancefromobject.astype(float)
people = df.serialnumber


def tested(name, split, model):
    """Trains and tests a model on each of a split's parts."""
    scores = []
    for train, test in split.split(features, target, people if name == "people" else None):
        shared = set(people.iloc[train]) & set(people.iloc[test])
        assert name != "people" or not shared, "one person is in both parts"
        guess = model().fit(features.iloc[train], target.iloc[train]).predict(features.iloc[test])
        scores.append({
            "tested on": name, "R²": r2_score(target.iloc[test], guess), "mean error": mean_absolute_error(target.iloc[test], guess),
            "devices in both parts": len(shared),
        })
    return scores, (target.iloc[test], guess)


def neighbours():
    return KNeighborsRegressor(n_neighbors=3, weights="distance")


options = {"n_splits": 3, "test_size": 0.25, "random_state": 7}
by_row, guessed_rows = tested("rows", ShuffleSplit(**options), neighbours)
by_person, guessed_people = tested("people", GroupShuffleSplit(**options), neighbours)
by_mean, _ = tested("people", GroupShuffleSplit(**options), DummyRegressor)
scores = pd.concat([
    pd.DataFrame(by_row).assign(model="neighbours"), pd.DataFrame(by_person).assign(model="neighbours"), pd.DataFrame(by_mean).assign(model="mean"),
]).groupby(["model", "tested on"]).mean()
scores.round(3)

# %% [markdown]
# ## What it means

# %%
claimed, honest = scores.loc[("neighbours", "rows"), "R²"], scores.loc[("neighbours", "people"), "R²"]
print(f"Tested on random rows, the model explains {claimed:.0%} of the differences between distances.")
print(f"Tested on people whom it has never seen, it explains {max(honest, 0):.0%} (R² = {honest:.2f}).")
if honest < 0.1:
    print("So it has recognised moments that it knew, and has learned nothing that holds for the next person: the motion of a phone,")
    print("as it is in these rows, does not tell the distance. Do not deploy this model; what is missing is data, not tuning.")
else:
    print("What holds for the next person is the second number. Look into what the model goes by before you trust it.")

# %%
figure, axes = plt.subplots(1, 3, figsize=(14, 4))
axes[0].bar(["random rows", "other people"], [claimed, honest], color=["#bbbbbb", "#2b6cb0"])
axes[0].axhline(0, color="black", linewidth=0.8)
axes[0].set_title("R²: what was claimed, and what holds")
for axis, title, (seen, guess) in zip(axes[1:], ["tested on random rows", "tested on other people"], [guessed_rows, guessed_people]):
    axis.scatter(seen, guess, s=3, alpha=0.2)
    axis.plot([seen.min(), seen.max()], [seen.min(), seen.max()], color="black", linewidth=0.8)
    axis.set(title=title, xlabel="distance measured", ylabel="distance guessed")
figure.tight_layout()
plt.show()

# %% [markdown]
# ## From here
#
# * The state of the table can be kept for a job: `tarn connect sagemaker --training --keep 30d` pins its files.
# * Columns that name a moment or a person (time, serial number, row number) do not belong into a model of people.
# * Whatever you train, split by `serialnumber`: `GroupShuffleSplit` or `GroupKFold`.
