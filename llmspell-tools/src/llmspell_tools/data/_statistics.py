"""Statistics of columns of numbers, with NumPy; missing values are left out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from llmspell_tools._extras import imported
from llmspell_tools._parameters import wrong

if TYPE_CHECKING:
    from llmspell_tools.data.statistical_analyzer import StatisticsParameters

TOOL = "statistical-analyzer"
_MOST_SHOWN = 1_000
_MOST_BINS = 1_000
_AUTO_BINS = 50
_STRONG, _MODERATE, _WEAK = 0.7, 0.4, 0.1
_SURE = 0.05

Columns = dict[str, Any]


def numpy() -> Any:
    """The library, or `extension.unavailable`."""
    return imported("numpy", TOOL, "data")


def descriptive(columns: Columns, params: StatisticsParameters) -> dict[str, Any]:
    """Count, mean, spread, quartiles and shape of each column."""
    return {name: _described(values) for name, values in columns.items()}


def _described(values: Any) -> dict[str, Any]:
    np = numpy()
    filled = values[~np.isnan(values)]
    count = int(filled.size)
    found: dict[str, Any] = {"count": count, "missing": int(values.size - count)}
    if not count:
        return found
    q1, median, q3 = np.percentile(filled, [25, 50, 75])
    mean = float(filled.mean())
    deviation = float(filled.std(ddof=1)) if count > 1 else None
    centered = filled - mean
    spread = float(filled.std())
    unique, counts = np.unique(filled, return_counts=True)
    return found | {
        "sum": float(filled.sum()),
        "mean": mean,
        "median": float(median),
        "mode": float(unique[counts.argmax()]) if counts.max() > 1 else None,
        "min": float(filled.min()),
        "max": float(filled.max()),
        "range": float(np.ptp(filled)),
        "stddev": deviation,
        "variance": deviation**2 if deviation is not None else None,
        "q1": float(q1),
        "q3": float(q3),
        "iqr": float(q3 - q1),
        "skewness": float((centered**3).mean() / spread**3) if spread else None,
        "kurtosis": float((centered**4).mean() / spread**4 - 3) if spread else None,
        "unique": int(unique.size),
    }


def correlation(columns: Columns, params: StatisticsParameters) -> dict[str, Any]:
    """How columns go together, each with each: from -1 to 1."""
    if len(columns) < 2:  # noqa: PLR2004
        raise wrong(TOOL, "columns", "must be at least two columns of numbers for correlation")
    names = list(columns)
    matrix: dict[str, dict[str, float | None]] = {name: {name: 1.0} for name in names}
    pairs: list[dict[str, Any]] = []
    for index, one in enumerate(names):
        for other in names[index + 1 :]:
            value = _correlation(columns[one], columns[other], params.method)
            matrix[one][other] = matrix[other][one] = value
            pairs.append({"x": one, "y": other, "r": value, "strength": _strength(value)})
    pairs.sort(key=lambda pair: -abs(pair["r"] or 0))
    matrix = {one: {other: matrix[one][other] for other in names} for one in names}
    return {"method": params.method, "matrix": matrix, "pairs": pairs}


def _correlation(x: Any, y: Any, method: str) -> float | None:
    np = numpy()
    x, y = _both(x, y)
    if method == "spearman":
        x, y = _ranks(x), _ranks(y)
    if x.size < 2 or not np.ptp(x) or not np.ptp(y):  # noqa: PLR2004
        return None
    return max(-1.0, min(1.0, float(np.corrcoef(x, y)[0, 1])))


def _both(x: Any, y: Any) -> tuple[Any, Any]:
    """The values where both are there."""
    np = numpy()
    there = ~(np.isnan(x) | np.isnan(y))
    return x[there], y[there]


def _ranks(values: Any) -> Any:
    """Places in order; equal values share the mean of theirs."""
    np = numpy()
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return ((last - counts + 1 + last) / 2)[inverse]


def _strength(value: float | None) -> str:
    if value is None or abs(value) < _WEAK:
        return "none"
    size = "strong" if abs(value) >= _STRONG else "moderate" if abs(value) >= _MODERATE else "weak"
    return f"{size} {'positive' if value > 0 else 'negative'}"


def outliers(columns: Columns, params: StatisticsParameters) -> dict[str, Any]:
    """Values far from the others, with their places (from 0)."""
    np = numpy()
    found = {}
    for name, values in columns.items():
        filled = values[~np.isnan(values)]
        if not filled.size:
            found[name] = {"count": 0, "indices": [], "values": []}
            continue
        if params.outlier_method == "iqr":
            q1, q3 = np.percentile(filled, [25, 75])
            reach = (params.threshold or 1.5) * (q3 - q1)
            lower, upper = float(q1 - reach), float(q3 + reach)
        else:
            reach = (params.threshold or 3.0) * float(filled.std())
            lower, upper = float(filled.mean() - reach), float(filled.mean() + reach)
        places = np.flatnonzero((values < lower) | (values > upper))
        found[name] = {
            "count": int(places.size),
            "lower": lower,
            "upper": upper,
            "indices": places[:_MOST_SHOWN].tolist(),
            "values": values[places[:_MOST_SHOWN]].tolist(),
        }
    return {"method": params.outlier_method, "columns": found}


def histogram(columns: Columns, params: StatisticsParameters) -> dict[str, Any]:
    """How many values lie in each of some ranges of equal width."""
    np = numpy()
    found: dict[str, Any] = {}
    for name, values in columns.items():
        filled = values[~np.isnan(values)]
        bins = params.bins or min(_AUTO_BINS, max(1, math.ceil(math.log2(max(filled.size, 1))) + 1))
        if not filled.size:
            found[name] = {"edges": [], "counts": []}
            continue
        try:
            counts, edges = np.histogram(filled, bins=min(bins, _MOST_BINS))
        except ValueError:
            # Values so close together that no width lies between them.
            counts, edges = np.array([filled.size]), np.array([filled.min(), filled.max()])
        found[name] = {"edges": edges.tolist(), "counts": counts.tolist()}
    return found


def regression(columns: Columns, params: StatisticsParameters) -> dict[str, Any]:
    """The line, or with `degree` the polynomial, of least squares through y over x."""
    names = list(columns)
    if len(names) < 2 and params.x is None:  # noqa: PLR2004
        raise wrong(TOOL, "columns", "must be two columns of numbers for regression")
    x_name = params.x or next(name for name in names if name != params.y)
    y_name = params.y or next(name for name in names if name != x_name)
    for field, name in (("x", x_name), ("y", y_name)):
        if name not in columns:
            raise wrong(TOOL, field, f'names "{name}", which is no column of numbers')
    fit = _fit(*_both(columns[x_name], columns[y_name]), params.degree)
    return {"x": x_name, "y": y_name, **fit}


def _fit(x: Any, y: Any, degree: int) -> dict[str, Any]:
    np = numpy()
    if np.unique(x).size <= degree:
        raise wrong(TOOL, "input", f"has too few different values of x for degree {degree}")
    # In its own range: powers of large numbers would lose all digits.
    polynomial = np.polynomial.Polynomial.fit(x, y, degree)
    fitted = polynomial(x)
    rest, total = float(((y - fitted) ** 2).sum()), float(((y - y.mean()) ** 2).sum())
    coefficients = [float(one) for one in polynomial.convert().coef]
    coefficients += [0.0] * (degree + 1 - len(coefficients))
    found: dict[str, Any] = {
        "coefficients": coefficients,
        "r_squared": max(0.0, 1 - rest / total) if total else None,
        "rmse": math.sqrt(rest / x.size),
        "n": int(x.size),
        "equation": _equation(coefficients),
    }
    if degree == 1:
        found |= {"slope": coefficients[1], "intercept": coefficients[0]}
    return found


def _equation(coefficients: list[float]) -> str:
    terms = []
    for power, value in reversed(list(enumerate(coefficients))):
        variable = "" if power == 0 else " * x" if power == 1 else f" * x^{power}"
        terms.append(f"{value:.6g}{variable}")
    return "y = " + " + ".join(terms).replace("+ -", "- ")


def trend(columns: Columns, params: StatisticsParameters) -> dict[str, Any]:
    """Whether each column, in the order of its values, rises or falls."""
    np = numpy()
    found: dict[str, Any] = {}
    for name, values in columns.items():
        x, y = _both(np.arange(values.size, dtype=float), values)
        if x.size < 3:  # noqa: PLR2004
            found[name] = {"direction": "unknown", "n": int(x.size)}
            continue
        fit = _fit(x, y, 1)
        p_value = _p_of_slope(fit["r_squared"], x.size)
        rises = fit["slope"] > 0
        sure = p_value is not None and p_value < _SURE
        first, last = float(y[0]), float(y[-1])
        found[name] = {
            "direction": ("rising" if rises else "falling") if sure else "flat",
            "slope": fit["slope"],
            "intercept": fit["intercept"],
            "r_squared": fit["r_squared"],
            "p_value": p_value,
            "change": last - first,
            "change_percent": (last - first) / abs(first) * 100 if first else None,
            "next": fit["slope"] * values.size + fit["intercept"],
            "n": int(x.size),
        }
    return found


def _p_of_slope(r_squared: float | None, count: int) -> float | None:
    """How likely such a slope is by chance: of the t distribution, by its beta function."""
    if r_squared is None:
        return None
    freedom = count - 2
    if r_squared >= 1:
        return 0.0
    t_squared = r_squared * freedom / (1 - r_squared)
    return _beta(freedom / (freedom + t_squared), freedom / 2, 0.5)


def _beta(x: float, a: float, b: float) -> float:
    """The regularized incomplete beta function, by its continued fraction."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(1 - x, b, a)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    tiny = 1e-300
    c, d = 1.0, 1 / max(1 - (a + b) * x / (a + 1), tiny)
    value = d
    for m in range(1, 300):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _away(1 + numerator * d, tiny)
            c = _away(1 + numerator / c, tiny)
            value *= c * d
        if abs(c * d - 1) < 1e-12:  # noqa: PLR2004
            break
    return min(1.0, max(0.0, front * value / a))


def _away(value: float, tiny: float) -> float:
    return value if abs(value) > tiny else tiny
