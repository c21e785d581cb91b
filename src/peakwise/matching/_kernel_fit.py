"""Damped least squares with normal priors around the model of a scan, compiled by numba."""

# mypy: disable-error-code="no-untyped-def,untyped-decorator"

from __future__ import annotations

import math

import numpy as np

from peakwise._jit import FAST, jit
from peakwise.matching._kernel import LARGEST_STRAIN, add_to, model_of, products, solve

__all__ = ["fit_loop"]


@jit(fastmath=FAST)
def _bound(p, starts, least_width, widest):
    """Keep what must not be left: scales, widths, shares."""
    p[2] = min(max(p[2], 0.0), 1.0)
    for i in range(starts.size - 1):
        a = starts[i]
        p[a] = max(p[a], 0.0)
        p[a + 1] = min(max(p[a + 1], least_width), widest)
        p[a + 2] = min(max(p[a + 2], 0.0), 4.0 * widest)
        p[a + 3] = min(max(p[a + 3], -1.6), 1.6)
        for k in range(a + 4, starts[i + 1]):
            p[k] = min(max(p[k], -LARGEST_STRAIN), LARGEST_STRAIN)


@jit(fastmath=FAST)
def _hold(p, gradient, starts, least_width, widest, free):
    """Take what stands at a limit and pushes against it out of the step: cut off later, it would spoil the rest."""
    probe = np.empty(p.size)
    for j in range(p.size):
        probe[j] = p[j] + math.copysign(1e-9 * (abs(p[j]) + 1.0), gradient[j])
    _bound(probe, starts, least_width, widest)
    for j in range(starts[-1]):
        if probe[j] == p[j]:
            free[j] = False
    for i in range(starts.size - 1):
        if not free[starts[i]]:  # no scale: nothing of the phase shows
            free[starts[i] : starts[i + 1]] = False


@jit(fastmath=FAST)
def _cost(y, model, weight, p, centre, spread):
    total = 0.0
    for k in range(y.size):
        total += weight[k] * (y[k] - model[k]) ** 2
    prior = 0.0
    for j in range(p.size):
        if spread[j] > 0.0:
            prior += ((p[j] - centre[j]) / spread[j]) ** 2
    return total, prior


@jit(fastmath=FAST)
def _background(p, start, basis, model):
    """The lines and the background."""
    out = model.copy()
    for j in range(basis.shape[0]):
        add_to(out, p[start + j], basis[j])
    return out


@jit(fastmath=FAST)
def _scales(y, weight, starts, jacobian, p, basis):
    """Start values of the scales and the background: linear least squares, negative ones taken out."""
    n, m = starts.size - 1, basis.shape[0]
    rows = np.empty((n + m, y.size))
    for i in range(n):
        rows[i] = jacobian[starts[i]]
    rows[n:] = basis
    free = np.ones(n + m, np.bool_)
    normal, gradient = np.empty((n + m, n + m)), np.empty(n + m)
    products(rows, weight, y, normal, gradient)
    for _ in range(n + 1):
        found = solve(normal, gradient, 1e-9, free)
        worst, at = 0.0, -1
        for i in range(n):
            if free[i] and found[i] < worst:
                worst, at = found[i], i
        if at < 0:
            break
        free[at] = False
    for i in range(n):
        p[starts[i]] = found[i]
    for j in range(m):
        p[starts[-1] + j] = found[n + j]


@jit(fastmath=FAST)
def _empty(y, weight, basis):
    """Misfit of the background alone."""
    n = basis.shape[0]
    normal, gradient = np.empty((n, n)), np.empty(n)
    products(basis, weight, y, normal, gradient)
    free = np.ones(n, np.bool_)
    left = y - _background(solve(normal, gradient, 1e-9, free), 0, basis, np.zeros(y.size))
    total = 0.0
    for k in range(y.size):
        total += weight[k] * left[k] ** 2
    return total


@jit(fastmath=FAST)
def fit_loop(x, y, weight, basis, lines, p, centre, spread, fwhm, is_fresh, n_steps, tolerance):
    """Levenberg-Marquardt with normal priors; returns parameters, cost, misfit, misfit of the background, model."""
    n, starts = p.size, lines.starts
    step = (x[-1] - x[0]) / (x.size - 1)
    jacobian = np.zeros((n, x.size))
    for j in range(basis.shape[0]):
        jacobian[starts[-1] + j] = basis[j]
    least, widest = 0.5 * step, 6.0 * fwhm
    if is_fresh:
        for i in range(starts.size - 1):
            p[starts[i]] = 1.0
    _bound(p, starts, least, widest)
    model = model_of(x, lines, p, jacobian)
    if is_fresh:
        _scales(y, weight, starts, jacobian, p, basis)
        model = model_of(x, lines, p, jacobian)
    empty = _empty(y, weight, basis)
    full = _background(p, starts[-1], basis, model)
    misfit, prior = _cost(y, full, weight, p, centre, spread)
    cost = misfit + prior
    damping = 1e-3
    free = np.ones(n, np.bool_)
    other = np.zeros((n, x.size))
    normal, gradient = np.empty((n, n)), np.empty(n)
    for j in range(basis.shape[0]):
        other[starts[-1] + j] = basis[j]
    for _ in range(n_steps):
        products(jacobian, weight, y - full, normal, gradient)
        for j in range(n):
            free[j] = normal[j, j] > 0.0
            if spread[j] > 0.0:
                normal[j, j] += 1.0 / spread[j] ** 2
                gradient[j] += (centre[j] - p[j]) / spread[j] ** 2
        _hold(p, gradient, starts, least, widest, free)
        gained = -1.0
        for _ in range(6):
            q = p + solve(normal, gradient, damping, free)
            _bound(q, starts, least, widest)
            made = model_of(x, lines, q, other)
            whole = _background(q, starts[-1], basis, made)
            a, b = _cost(y, whole, weight, q, centre, spread)
            if a + b < cost:
                gained = cost - (a + b)
                p, misfit, cost, full = q, a, a + b, whole
                jacobian, other = other, jacobian
                damping = max(damping * 0.2, 1e-7)
                break
            damping *= 8.0
        if gained < tolerance * cost:
            break
    return p, cost, misfit, empty, full
