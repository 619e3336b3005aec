"""Writes distributions.json: what the distributions of src/stats are, computed with fifty digits (pip install mpmath).

    python3 test/stats/distributions.py > test/stats/distributions.json
    npx prettier --write test/stats/distributions.json
"""

import json

from mpmath import betainc, binomial, erfc, exp, log, loggamma, mp, mpf, quad, sqrt

mp.dps = 50


def normal_tail(z):
    return erfc(mpf(z) / sqrt(2)) / 2


def student_tail(t, degrees):
    t, v = mpf(t), mpf(degrees)
    half = betainc(v / 2, mpf(1) / 2, 0, v / (v + t * t), regularized=True) / 2
    return 1 - half if t < 0 else half


def quantile(tail, p, start):
    """The root of tail(x) = 1 - p, by bisection: the tail falls."""
    wanted = 1 - mpf(p)
    low, high = mpf(-start), mpf(start)
    while tail(low) < wanted:
        low *= 2
    while tail(high) > wanted:
        high *= 2
    for _ in range(120):
        middle = (low + high) / 2
        if tail(middle) > wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def binomial_probability(n, k, p):
    p = mpf(p)
    return binomial(n, k) * p**k * (1 - p) ** (n - k)


def noncentral_student_tail(t, degrees, shift):
    """The integral over s of P(Z > t s - shift) times the density of s, the root of a chi-squared over its degrees."""
    v = mpf(degrees)

    def integrand(s):
        density = 2 * exp((v / 2) * log(v / 2) - loggamma(v / 2) + (v - 1) * log(s) - v * s * s / 2)
        return density * normal_tail(mpf(t) * s - mpf(shift))

    width = 1 / sqrt(2 * v)
    points = sorted({mpf(0), *(max(mpf(0), 1 + i * width) for i in range(-14, 21, 2)), 1 + 60 * width})
    mp.dps = 25
    value = quad(integrand, points)
    mp.dps = 50
    return value


def rows(function, arguments):
    return [[*each, float(function(*each))] for each in arguments]


table = {
    "normalTail": rows(normal_tail, [[z] for z in (-8, -3, -1, -0.1, 0, 0.01, 0.3, 1, 1.96, 2.5, 3, 4, 5, 6, 7.5, 10, 20, 37)]),
    "normalQuantile": rows(
        lambda p: quantile(normal_tail, p, 1),
        [[p] for p in (1e-9, 0.0005, 0.025, 0.3, 0.5, 0.6, 0.8, 0.9, 0.95, 0.975, 0.995, 0.9995, 0.999999)],
    ),
    "studentTail": rows(
        student_tail,
        [
            [t, v]
            for v in (1, 1.5, 2, 2.7, 4, 8, 9.3, 30, 120.5, 1000, 100000)
            for t in (-3, -0.1, 0, 0.01, 0.5, 1, 2, 2.78, 5, 12, 40, 300)
        ],
    ),
    "studentQuantile": rows(
        lambda p, v: quantile(lambda t: student_tail(t, v), p, 1),
        [[p, v] for v in (1, 1.5, 2, 2.7, 4, 8, 9.3, 30, 120.5, 1000, 100000) for p in (0.6, 0.8, 0.9, 0.95, 0.975, 0.995, 0.99995)],
    ),
    "binomialProbability": rows(
        binomial_probability,
        [
            [n, k, p]
            for n in (1, 5, 40, 1000, 10000, 100000)
            for p in (0.003, 0.1, 0.5, 0.9)
            for k in sorted({0, 1, n // 10, n // 2, int(n * 0.51), n * 9 // 10, n})
        ],
    ),
    "binomialCumulative": rows(
        lambda n, k, p: sum(binomial_probability(n, i, p) for i in range(k + 1)),
        [[n, k, 0.5] for n in (1, 5, 40, 200, 1000, 10000) for k in sorted({0, n // 10, n * 4 // 10, int(n * 0.48), n // 2})],
    ),
    "noncentralStudentTail": rows(
        noncentral_student_tail,
        [[t, v, d] for v in (1, 2, 4, 9, 40, 200) for t in (-1, 0.5, 1.97, 2.78, 12.7) for d in (-1, 0, 0.5, 2, 3.5, 6)],
    ),
}
print(json.dumps(table))
