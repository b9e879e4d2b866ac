# %% [markdown]
# # What a model knows about people it has not seen
#
# This learns one column of a table from the others, and tests what it has learned in two ways:
#
# * on **rows** chosen at random, as many first models are tested;
# * on **people** of whom the model has seen nothing: nobody has rows in both parts.
#
# Only the second says what a model is worth for the next customer. The first is here to show what it would have claimed.

# %%
import json
import os
import pathlib

import awswrangler as wr
import boto3
import matplotlib.pyplot as plt
import pandas as pd
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit
from sklearn.neighbors import KNeighborsRegressor

# %% [markdown]
# ## What is asked
#
# `tarn.json` beside this notebook says it. `person` is the column that tells whose a row is, and `predict` the one that a model
# shall guess: a number, or true and false. `learn_from` are the columns that it may look at. Change them, save the file, and run all cells again.

# %%
config = json.loads(pathlib.Path("tarn.json").read_text())
person, predict, learn_from = config["person"], config["predict"], config["learn_from"]
missing = [key for key in ("person", "predict", "learn_from") if not config[key]]
if missing:
    raise SystemExit(f"tarn.json does not say {' and '.join(missing)}: write it into the file. {config['table']} has the columns {', '.join(config['columns'])}.")
learn_from = [c for c in learn_from if c not in (person, predict)]
print(f"{predict} of {config['table']}, from {', '.join(learn_from)}; a person is a {person}")

# %% [markdown]
# ## The rows
#
# Athena reads them. With the variable `TARN_ATHENA_ENDPOINT` another server is asked in its place. `ctas_approach=False` matters:
# otherwise awswrangler makes a table of the result and drops it again, which the role of this notebook may not do. All rows go into this
# machine's memory: of a large table, take some people with a `WHERE`, never some rows.

# %%
if config["region"]:
    boto3.setup_default_session(region_name=config["region"])
if os.environ.get("TARN_ATHENA_ENDPOINT"):
    wr.config.athena_endpoint_url = os.environ["TARN_ATHENA_ENDPOINT"]


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


df = wr.athena.read_sql_query(
    f"SELECT {', '.join(map(quoted, [person, predict, *learn_from]))} FROM {quoted(config['table'])}",
    database=config["database"], workgroup=config["workgroup"], ctas_approach=False,
)
everything = len(df)
df = df.dropna(subset=[person, predict])
# Athena gives rows in any order: in this one, the same rows give the same scores.
df = df.sort_values([person, *learn_from, predict], ignore_index=True)
people = df[person]
print(f"{len(df):,} rows of {people.nunique():,} people; {everything - len(df):,} more have no {person} or no {predict}")
if people.nunique() < 8:
    raise SystemExit(f"{people.nunique()} people are too few: with a quarter of them left out, nothing could be said of others.")

# %% [markdown]
# ## How rows belong together
#
# Rows of one person are alike, and rows of one moment more so: they are no independent witnesses. Dates and times become milliseconds
# since the first one here; everything else is a number already.

# %%
features, moments = {}, []
for c in learn_from:
    try:
        features[c] = df[c].astype(float)
    except (TypeError, ValueError):
        moments.append(c)
        times = pd.to_datetime(df[c])
        features[c] = (times - times.min()).dt.total_seconds() * 1000
features, target = pd.DataFrame(features), df[predict].astype(float)
each = people.value_counts()
print(f"a person has {each.min():,} to {each.max():,} rows, {each.median():,.0f} in the middle")
if moments:
    together = df.groupby([person, *moments]).size()
    print(f"{len(together):,} are of another person or moment, each stands for {together.mean():.1f} rows")
features.drop(columns=moments).assign(**{predict: target}).describe().round(2)

# %% [markdown]
# ## Two models, and none
#
# * **hasty** looks at all columns, and guesses what the three rows say that are most alike. It finds rows that belong together, by a
#   moment or by whatever else gives a person away, without being told to: this is how a random split flatters.
# * **careful** is a small boosted forest that leaves moments out.
# * **mean** guesses the same for everybody, which is R² = 0. A model below that is worth less than none.


# %%
class Hasty:
    """The nearest rows, with every number brought to a like scale, and milliseconds as they are."""

    def fit(self, x, y):
        self.scale, self.gap = x.std().where(lambda s: s > 0, 1), x.median().fillna(0)
        self.scale[moments] = 1
        self.near = KNeighborsRegressor(n_neighbors=3, weights="distance").fit(self.brought(x), y)
        return self

    def brought(self, x):
        return x.fillna(self.gap) / self.scale

    def predict(self, x):
        return self.near.predict(self.brought(x))


careful_from = [c for c in learn_from if c not in moments]
models = {"hasty": (Hasty, learn_from), "mean": (DummyRegressor, learn_from)}
if careful_from:
    models["careful"] = (lambda: HistGradientBoostingRegressor(max_iter=50, random_state=7), careful_from)
options = {"n_splits": 3, "test_size": 0.25, "random_state": 7}
splits = {"random rows": list(ShuffleSplit(**options).split(features)), "other people": list(GroupShuffleSplit(**options).split(features, groups=people))}

tests, guesses = [], {}
for name, (model, columns) in models.items():
    for tested_on, parts in splits.items():
        for train, test in parts:
            shared = set(people.iloc[train]) & set(people.iloc[test])
            assert tested_on != "other people" or not shared, "one person is in both parts"
            x = features[columns]
            guess = model().fit(x.iloc[train], target.iloc[train]).predict(x.iloc[test])
            truth = target.iloc[test]
            tests.append({"model": name, "tested on": tested_on, "R²": r2_score(truth, guess), "mean error": mean_absolute_error(truth, guess), "people in both parts": len(shared)})
        guesses[name, tested_on] = truth, guess
by = pd.DataFrame(tests).groupby(["model", "tested on"])
scores = by[["R²", "mean error", "people in both parts"]].mean().join(by["R²"].agg(least="min", most="max"))
scores.round(3)

# %% [markdown]
# `least` and `most` are the R² of the worst and the best of three splits: what is between them is chance.
#
# ## What it means

# %%
def explained(model, tested_on):
    """The share of the differences that a model explains, and its R² where that is less than nothing."""
    r2 = scores.loc[(model, tested_on), "R²"]
    return f"{r2:.0%}" if r2 >= 0.005 else "nothing" if r2 > -0.005 else f"nothing (R² = {r2:.2f})"


claimed, honest = scores.loc[("hasty", "random rows"), "R²"], scores.loc[("hasty", "other people"), "R²"]
best, by_model = max((scores.loc[(name, "other people"), "R²"], name) for name in models if name != "mean")
print(f"Tested on random rows, the hasty model would have claimed to explain {explained('hasty', 'random rows')} of the differences in {predict}.")
print(f"Tested on people whom it has never seen, it explains {explained('hasty', 'other people')}.")
if "careful" in models:
    print(f"The careful model: {explained('careful', 'random rows')} on random rows, {explained('careful', 'other people')} on other people.")
print()
if best < 0.05:
    print("So nothing was learned that holds for the next person. Do not deploy such a model: what is missing is data, not tuning.")
    if claimed > 0.05:
        print("What looked like knowledge were rows that belong to rows which the model had learned.")
elif claimed - best > 0.05:
    print(f"What holds for the next person is {best:.0%}, by the {by_model} model, and not {claimed:.0%}. Look into what it goes by before you trust it.")
else:
    print(f"What holds for the next person is {best:.0%}, by the {by_model} model. Look into what it goes by before you trust it.")

# %%
figure, axes = plt.subplots(1, 3, figsize=(14, 4.2))
scores["R²"].drop("mean").unstack("model").loc[list(splits)].plot.bar(
    ax=axes[0], rot=0, color={"hasty": "#bbbbbb", "careful": "#2b6cb0"}, title="R²: what is claimed, and what holds")
for bars in axes[0].containers:
    axes[0].bar_label(bars, fmt="%.2f", padding=2)
axes[0].margins(y=0.15)
axes[0].axhline(0, color="black", linewidth=0.8)
for axis, tested_on in zip(axes[1:], splits):
    truth, guess = guesses["hasty", tested_on]
    axis.scatter(truth, guess, s=3, alpha=0.2, color="#555555")
    axis.plot([target.min(), target.max()], [target.min(), target.max()], color="black", linewidth=0.8)
    axis.set(title=f"the hasty model, tested on {tested_on}", xlabel=f"{predict}, as it is", ylabel=f"{predict}, as guessed")
figure.tight_layout()
plt.show()

# %% [markdown]
# ## From here
#
# * Whatever you train, split by the person: `GroupShuffleSplit` or `GroupKFold`.
# * Columns that name a moment, a person or a place in a file (time, serial number, row number) do not belong into a model of people.
# * A run's state of the table can be kept for a job: `tarn connect sagemaker --training --keep 30d` pins its files.
