"""The training of the published networks of descriptors in compiled loops: perceptron, losses, steps, AdamW.

All parameters stand in one flat array, so that AdamW is one loop: those of the maps of each modality
(`_regression_kernel_maps`), then weights (out, in) and bias of each layer of the perceptron.
"""

from __future__ import annotations

import numpy as np

from peakwise._jit import FAST, jit
from peakwise.estimators._regression_kernel_maps import decode, decode_back, encode, encode_back

__all__ = ["rooms", "step", "train_published"]

# numba looks at this file only to see whether its stored code is current: the checksum of the other one.
PARTS = 0x514C0BB1
_SLOPE = np.float32(0.01)  # of LeakyReLU below zero, as torch has it
_SHARE = 65536  # steps of the probability of dropout


@jit(fastmath=FAST)
def _read(p, off, widths, shown, kept, factors, dropout, state):
    """The perceptron: numbers from its inputs; keeps each layer's output and by what its input was multiplied."""
    n = shown.shape[0]
    last = widths.size - 2
    kept[0, : n * widths[0]] = shown.ravel()
    limit = np.uint64(dropout * _SHARE)
    scale = np.float32(1.0 / (1.0 - np.float64(limit) / _SHARE))
    for layer in range(last + 1):
        into, out = widths[layer], widths[layer + 1]
        weight = p[off[layer] : off[layer] + into * out].reshape((out, into))
        bias = p[off[layer] + into * out : off[layer] + into * out + out]
        made = kept[layer + 1, : n * out].reshape((n, out))
        np.dot(kept[layer, : n * into].reshape((n, into)), weight.T, made)
        factor = factors[layer, : n * out].reshape((n, out))
        bits, left = np.uint64(0), 0
        for b in range(n):
            for j in range(out):
                value = made[b, j] + bias[j]
                if layer < last:
                    by = np.float32(1) if value > 0 else _SLOPE
                    if limit:
                        if left == 0:
                            bits, left = _next(state), 4
                        by = by * scale if (bits & np.uint64(_SHARE - 1)) >= limit else np.float32(0)
                        bits >>= np.uint64(16)
                        left -= 1
                    factor[b, j] = by
                    value *= by
                made[b, j] = value


@jit(fastmath=FAST)
def _next(state):
    """64 random bits: xorshift64*, S. Vigna, ACM Trans. Math. Softw. 42, 30 (2016)."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return x * np.uint64(2685821657736338717)


@jit(fastmath=FAST)
def _read_back(p, g, off, widths, n, kept, factors, slope, spare):
    """From gradients of the numbers, the first of `slope`, to those of the inputs, which it leaves there."""
    last = widths.size - 2
    for layer in range(last, -1, -1):
        into, out = widths[layer], widths[layer + 1]
        down = slope[: n * out].reshape((n, out))
        if layer < last:
            flat = slope[: n * out]
            by = factors[layer, : n * out]
            for k in range(n * out):
                flat[k] *= by[k]
        weight = p[off[layer] : off[layer] + into * out].reshape((out, into))
        np.dot(
            down.T, kept[layer, : n * into].reshape((n, into)),
            g[off[layer] : off[layer] + into * out].reshape((out, into)),
        )  # fmt: skip
        at = off[layer] + into * out
        for j in range(out):
            total = np.float32(0)
            for b in range(n):
                total += down[b, j]
            g[at + j] = total
        up = spare[: n * into].reshape((n, into))
        np.dot(down, weight, up)
        slope[: n * into] = spare[: n * into]


@jit(fastmath=FAST)
def _surprise(told, truth, groups, is_number, slope):
    """Mean squared error of numbers plus the cross-entropy of each text; writes the gradient."""
    n, t = told.shape
    n_numbers = is_number.sum()
    loss = 0.0
    for b in range(n):
        for j in range(t):
            if is_number[j]:
                off = told[b, j] - truth[b, j]
                loss += off * off / (n * n_numbers)
                slope[b, j] = np.float32(2) * off / np.float32(n * n_numbers)
        for k in range(groups.shape[0]):
            start, stop = groups[k, 0], groups[k, 1]
            top = told[b, start:stop].max()
            total = np.float32(0)
            for j in range(start, stop):
                total += np.exp(told[b, j] - top)
            for j in range(start, stop):
                log = told[b, j] - top - np.log(total)
                loss -= truth[b, j] * log / n
                slope[b, j] = (np.exp(log) - truth[b, j]) / np.float32(n)
    return loss


@jit(fastmath=FAST)
def _hidden(n, k, hide, state):
    """Which modalities are shown (n, k): each is hidden with that probability, but for one drawn before."""
    there = np.ones((n, k), np.bool_)
    if k > 1 and hide > 0:
        for b in range(n):
            first = np.int64(_next(state) % np.uint64(k))
            for i in range(k):
                there[b, i] = i == first or (_next(state) >> np.uint64(40)) >= np.uint64(hide * (1 << 24))
    return there


@jit(fastmath=FAST)
def _show(a, there, sizes, out):
    """Latent numbers, or gradients of them, of the modalities that are shown; 0 for the others."""
    column = 0
    for i in range(sizes.shape[0]):
        for b in range(a.shape[0]):
            for j in range(column, column + sizes[i, 1]):
                out[b, j] = a[b, j] if there[b, i] else np.float32(0)
        column += sizes[i, 1]


@jit(fastmath=FAST)
def _clear(g, at, ch, size, latent, points):
    """Gradients that are added to, as 0."""
    layers = ch.size - 1
    for layer in range(layers):
        n_kernel = ch[layer + 1] * ch[layer] * size
        g[at[0, layer] : at[0, layer] + n_kernel] = 0
        g[at[1, layer] : at[1, layer] + ch[layer + 1]] = 0
        if at[2, 1] >= 0:
            g[at[3, layer] : at[3, layer] + n_kernel] = 0
            g[at[4, layer] : at[4, layer] + ch[layer]] = 0
    bias = at[2, 0] + latent * ch[layers] * (points - layers * (size - 1))
    g[bias : bias + latent] = 0


@jit(fastmath=FAST)
def _misfit(made, true, there, scaler):
    """Weighed mean square error of the patterns that are shown; `made` becomes its gradient."""
    n, points = made.shape
    count = max(there.sum(), 1) * points
    by, loss = np.float32(2 * scaler / count), 0.0
    for b in range(n):
        row, other, squares = made[b], true[b], np.float32(0)
        if there[b]:
            for q in range(points):
                off = row[q] - other[q]
                squares += off * off
                row[q] = by * off
        else:
            row[:] = 0
        loss += scaler * squares / count
    return loss


@jit(fastmath=FAST)
def step(p, g, net, x, truth, stage, dropout, hide, state, w, learn):
    """Losses of descriptors and of patterns in one batch; with `learn` also the gradients g.

    `stage`: 0 both, 1 patterns only, 2 descriptors only from latent numbers x. `net` is what `Layout` holds of sizes
    and places, and the weights of patterns; `w` are arrays to work in (`rooms` makes them).
    """
    sizes, offs, ch, size, head, widths, groups, is_number, scalers = net
    z, dz, work, more, wide, kept, factors, slope, spare = w
    n, k = x.shape[0], sizes.shape[0]
    layers, most = ch.size - 1, ch.max()
    made = np.zeros((2 * k, layers, most, layers * (size - 1) + 1), np.float32)
    sums, biases = np.zeros((k, layers, most, most), np.float32), np.zeros((k, layers, most), np.float32)
    latents = sizes[:, 1].sum()
    there = _hidden(n, k, hide if learn and stage != 1 else 0.0, state)
    zs, dzs = z[: n * latents].reshape((n, latents)), dz[: n * latents].reshape((n, latents))
    dzs[:] = 0
    start, column = 0, 0
    if stage == 2:
        zs[:] = x
    else:
        for i in range(k):
            points, latent = sizes[i, 0], sizes[i, 1]
            part, own = np.ascontiguousarray(x[:, start : start + points]), np.empty((n, latent), np.float32)
            encode(p, offs[i], ch, size, part, own, work, wide, made[2 * i], sums[i], biases[i])
            zs[:, column : column + latent] = own
            start, column = start + points, column + latent
    read, again = 0.0, 0.0
    if stage != 1:
        shown = kept[0, : n * widths[0]].reshape((n, widths[0]))
        _show(zs, there, sizes, shown)
        if k > 1:
            shown[:, latents:] = there
        _read(p, head, widths, shown, kept, factors, dropout if learn else 0.0, state)
        n_told = widths[widths.size - 1]
        told = kept[widths.size - 1, : n * n_told].reshape((n, n_told))
        read = _surprise(told, truth, groups, is_number, slope[: n * n_told].reshape((n, n_told)))
        if learn:
            _read_back(p, g, head, widths, n, kept, factors, slope, spare)
        if stage == 2:
            return read, again
        _show(slope[: n * widths[0]].reshape((n, widths[0]))[:, :latents], there, sizes, dzs)
    start, column = 0, 0
    for i in range(k):
        points, latent = sizes[i, 0], sizes[i, 1]
        part = np.ascontiguousarray(x[:, start : start + points])
        own = np.ascontiguousarray(zs[:, column : column + latent])
        down = np.ascontiguousarray(dzs[:, column : column + latent])
        if learn:
            _clear(g, offs[i], ch, size, latent, points)
        if offs[i, 2, 1] >= 0:
            out = np.empty((n, points), np.float32)
            decode(p, offs[i], ch, size, own, out, work, wide, made[2 * i + 1])
            again += _misfit(out, part, there[:, i], scalers[i])
            if learn:
                decode_back(p, g, offs[i], ch, size, own, out, down, work, wide, made[2 * i + 1], more)
        if learn:
            encode_back(p, g, offs[i], ch, size, part, down, work, wide, made[2 * i], sums[i], biases[i])
        start, column = start + points, column + latent
    return read, again


@jit(fastmath=FAST)
def rooms(n, sizes, ch, size, widths):
    """Arrays to work in for batches of n."""
    room = n * (sizes[:, 1].sum() + sizes.shape[0])
    span = (sizes[:, 1].max() + 1) * sizes[:, 0].max()
    rows = n * widths.max()
    return (
        np.empty(room, np.float32), np.empty(room, np.float32), np.empty(span, np.float32), np.empty(span, np.float32),
        np.empty(span * ((ch.size - 1) * (size - 1) + 1), np.float32), np.empty((widths.size, rows), np.float32),
        np.empty((widths.size, rows), np.float32), np.empty(rows, np.float32), np.empty(rows, np.float32),
    )  # fmt: skip


@jit(fastmath=FAST)
def _adamw(p, g, first, second, lo, hi, rate, decay, n):
    """All parameters decay, biases too, as torch's AdamW does by default."""
    one, two = np.float32(0.9), np.float32(0.999)
    rest_one, rest_two = np.float32(1) - one, np.float32(1) - two
    keep = np.float32(1 - rate * decay)
    go = np.float32(rate / (1 - 0.9**n))
    by = np.float32(1 / np.sqrt(1 - 0.999**n))
    tiny = np.float32(1e-8)
    # Slices, so that the compiler sees no negative numbers and takes many at once.
    values, slopes, ones, twos = p[lo:hi], g[lo:hi], first[lo:hi], second[lo:hi]
    for k in range(hi - lo):
        down = slopes[k]
        m = one * ones[k] + rest_one * down
        v = two * twos[k] + rest_two * down * down
        ones[k] = m
        twos[k] = v
        values[k] = values[k] * keep - go * m / (np.sqrt(v) * by + tiny)


@jit(fastmath=FAST)
def train_published(
    p, best, net, x, truth, held_x, held_truth, stage, dropout, hide, part, epochs, rate, decay, batch, patience, seed,
    history, target,
):  # fmt: skip
    """Train the parameters of a part, from and to, in place; `best` gets those with the lowest loss on what is held.

    `history` (epochs, 3) gets the mean loss of each epoch and the two losses on what is held. It ends below `target`.
    Returns the epochs that were run.
    """
    sizes, _, ch, size, _, widths, _, _, _ = net
    n = x.shape[0]
    top = min(batch, n)
    w = rooms(max(top, held_x.shape[0]), sizes, ch, size, widths)
    g, first, second = np.zeros_like(p), np.zeros_like(p), np.zeros_like(p)
    state = np.array([np.uint64(seed) * np.uint64(7046029254386353131) + np.uint64(88172645463325252)], np.uint64)
    order = np.arange(n)
    lowest, at, steps = np.inf, 0, 0
    xb, tb = np.empty((top, x.shape[1]), np.float32), np.empty((top, truth.shape[1]), np.float32)
    for epoch in range(epochs):
        for i in range(n - 1, 0, -1):
            j = np.int64(_next(state) % np.uint64(i + 1))
            order[i], order[j] = order[j], order[i]
        total = 0.0
        for start in range(0, n, top):
            m = min(top, n - start)
            for b in range(m):
                xb[b] = x[order[start + b]]
                tb[b] = truth[order[start + b]]
            read, again = step(p, g, net, xb[:m], tb[:m], stage, dropout, hide, state, w, True)
            steps += 1
            _adamw(p, g, first, second, part[0], part[1], rate, decay, steps)
            total += (read + again) * m / n
        history[epoch, 0] = total
        if held_x.shape[0]:
            history[epoch, 1], history[epoch, 2] = step(p, g, net, held_x, held_truth, stage, 0.0, 0.0, state, w, False)
            judged = history[epoch, 2] if stage == 1 else history[epoch, 1]
            if judged < lowest:
                lowest, at = judged, epoch
                best[:] = p
            if judged <= target or epoch - at >= patience:
                return epoch + 1
        elif not np.isfinite(total):
            return epoch + 1
    return epochs
