"""The published networks of descriptors, forwards and backwards, in compiled loops.

Convolutions without anything between them are one linear map, and so is the dense layer behind them. So the encoder is
computed once a step as one matrix (n_latent, n_points), whatever the size of the batch, and the decoder likewise;
the chain rule then goes back through the same products to the parameters that the published network has. Nothing is
approximated: gradients equal those of the network as it is printed (tests compare them with torch).

All parameters stand in one flat array, so that AdamW is one loop. For each modality, in this order: kernels
(out, in, kernel) and biases of the encoder's convolutions, its dense layer (channels, n_latent, length) and bias; with
a decoder, its dense layer (channels, n_latent + 1, length) whose last row is the bias, then kernels (in, out, kernel)
and biases of the transposed convolutions from the last to the first, so that they have the shapes of the encoder's.
Then weights (out, in) and bias of each layer of the perceptron.
"""

# What numba compiles has no types for the type checker.
# ruff: noqa: ANN001, ANN202

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba as nb
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["rooms", "step", "train_published"]

_SLOPE = np.float32(0.01)  # of LeakyReLU below zero, as torch has it
_SHARE = 65536  # steps of the probability of dropout


def _jit(function: Callable[..., Any]) -> Any:
    try:
        return nb.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz"})(function)
    except RuntimeError:  # a read-only installation without a home: compiled anew in each process
        return nb.njit(nogil=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz"})(function)


@_jit
def _compose(p, off, ch, size, made):  # type: ignore[no-untyped-def]
    """One kernel (channels, length) for all convolutions up to each."""
    for o in range(ch[1]):
        for u in range(size):
            made[0, o, u] = p[off[0] + o * size + u]
    for layer in range(1, ch.size - 1):
        before = layer * (size - 1) + 1
        made[layer, : ch[layer + 1], : before + size - 1] = 0
        for o in range(ch[layer + 1]):
            for i in range(ch[layer]):
                for u in range(size):
                    w = p[off[layer] + (o * ch[layer] + i) * size + u]
                    for s in range(before):
                        made[layer, o, s + u] += w * made[layer - 1, i, s]


@_jit
def _compose_back(p, g, off, ch, size, made, slope):  # type: ignore[no-untyped-def]
    """From gradients of the joint kernels to those of each; `slope` holds what else the joint ones were used for."""
    for layer in range(ch.size - 2, 0, -1):
        before = layer * (size - 1) + 1
        for o in range(ch[layer + 1]):
            for i in range(ch[layer]):
                for u in range(size):
                    at = off[layer] + (o * ch[layer] + i) * size + u
                    w, total = p[at], np.float32(0)
                    for s in range(before):
                        total += slope[layer, o, s + u] * made[layer - 1, i, s]
                        slope[layer - 1, i, s] += slope[layer, o, s + u] * w
                    g[at] += total
    for o in range(ch[1]):
        for u in range(size):
            g[off[0] + o * size + u] += slope[0, o, u]


@_jit
def _spread(weight, kernel, rows, length, wide, out):  # type: ignore[no-untyped-def]
    """Dense weights (channels, rows x length) after convolutions: (rows, points); `wide` is room for the steps."""
    reach = kernel.shape[0]
    steps = wide[: reach * rows * length].reshape((reach, rows * length))
    np.dot(kernel, weight, steps)
    out[:] = 0
    for s in range(reach):
        for r in range(rows):
            to, part = out[r, s : s + length], steps[s, r * length : (r + 1) * length]
            for q in range(length):
                to[q] += part[q]


@_jit
def _spread_back(weight, kernel, slope, length, wide, to_weight, to_kernel):  # type: ignore[no-untyped-def]
    reach, rows = kernel.shape[0], slope.shape[0]
    steps = wide[: reach * rows * length].reshape((reach, rows * length))
    for s in range(reach):
        for r in range(rows):
            steps[s, r * length : (r + 1) * length] = slope[r, s : s + length]
    np.dot(kernel.T, steps, to_weight)
    np.dot(steps, weight.T, to_kernel)


@_jit
def _biases(p, off, ch, made, out):  # type: ignore[no-untyped-def]
    """The bias that valid convolutions add up to, a channel; `made` are the sums of kernels."""
    out[0, : ch[1]] = p[off[0] : off[0] + ch[1]]
    for layer in range(1, ch.size - 1):
        for o in range(ch[layer + 1]):
            total = p[off[layer] + o]
            for i in range(ch[layer]):
                total += made[layer, o, i] * out[layer - 1, i]
            out[layer, o] = total


@_jit
def _kernel_sums(p, off, ch, size, made):  # type: ignore[no-untyped-def]
    for layer in range(1, ch.size - 1):
        for o in range(ch[layer + 1]):
            for i in range(ch[layer]):
                at = off[layer] + (o * ch[layer] + i) * size
                made[layer, o, i] = p[at : at + size].sum()


@_jit
def _biases_back(g, off_k, off_b, ch, size, sums, biases, slope):  # type: ignore[no-untyped-def]
    for layer in range(ch.size - 2, -1, -1):
        for o in range(ch[layer + 1]):
            down = slope[layer, o]
            g[off_b[layer] + o] += down
            if layer:
                for i in range(ch[layer]):
                    slope[layer - 1, i] += down * sums[layer, o, i]
                    at = off_k[layer] + (o * ch[layer] + i) * size
                    for u in range(size):
                        g[at + u] += down * biases[layer - 1, i]


@_jit
def _encode(p, at, ch, size, x, z, work, wide, made, sums, biases):  # type: ignore[no-untyped-def]
    """Latent numbers z of patterns x; leaves the matrix of the encoder in `work`."""
    off_k, off_b, off_w = at[0], at[1], at[2, 0]
    layers, latent, points = ch.size - 1, z.shape[1], x.shape[1]
    channels, length = ch[layers], points - layers * (size - 1)
    n_w = latent * channels * length
    _compose(p, off_k, ch, size, made)
    _kernel_sums(p, off_k, ch, size, sums)
    _biases(p, off_b, ch, sums, biases)
    weight = p[off_w : off_w + n_w].reshape((channels, latent * length))
    matrix = work[: latent * points].reshape((latent, points))
    kernel = np.ascontiguousarray(made[layers - 1, :channels, : layers * (size - 1) + 1].T)
    _spread(weight, kernel, latent, length, wide, matrix)
    np.dot(x, matrix.T, z)
    for n in range(latent):
        start = p[off_w + n_w + n]
        for c in range(channels):
            start += biases[layers - 1, c] * weight[c, n * length : (n + 1) * length].sum()
        for b in range(z.shape[0]):
            z[b, n] += start


@_jit
def _encode_back(p, g, at, ch, size, x, dz, work, wide, made, sums, biases):  # type: ignore[no-untyped-def]
    off_k, off_b, off_w = at[0], at[1], at[2, 0]
    layers, latent, points = ch.size - 1, dz.shape[1], x.shape[1]
    channels, length = ch[layers], points - layers * (size - 1)
    n_w, reach = latent * channels * length, layers * (size - 1) + 1
    slope = work[: latent * points].reshape((latent, points))
    np.dot(dz.T, x, slope)
    weight = p[off_w : off_w + n_w].reshape((channels, latent * length))
    to_weight = g[off_w : off_w + n_w].reshape((channels, latent * length))
    down = np.zeros_like(made)
    kernel = np.ascontiguousarray(made[layers - 1, :channels, :reach].T)
    to_kernel = np.empty_like(kernel)
    _spread_back(weight, kernel, slope, length, wide, to_weight, to_kernel)
    down[layers - 1, :channels, :reach] = to_kernel.T
    slopes = np.zeros_like(biases)
    for n in range(latent):
        total = np.float32(0)
        for b in range(dz.shape[0]):
            total += dz[b, n]
        g[off_w + n_w + n] += total
        for c in range(channels):
            slopes[layers - 1, c] += total * weight[c, n * length : (n + 1) * length].sum()
            to = to_weight[c, n * length : (n + 1) * length]
            add = total * biases[layers - 1, c]
            for q in range(length):
                to[q] += add
    _compose_back(p, g, off_k, ch, size, made, down)
    _biases_back(g, off_k, off_b, ch, size, sums, biases, slopes)


@_jit
def _decode(p, at, ch, size, z, out, work, wide, made):  # type: ignore[no-untyped-def]
    """Patterns of latent numbers z; leaves the matrix of the decoder in `work`."""
    off_k, off_b, off_w = at[3], at[4], at[2, 1]
    layers, latent, points = ch.size - 1, z.shape[1], out.shape[1]
    channels, length = ch[layers], points - layers * (size - 1)
    n_w = (latent + 1) * channels * length
    _compose(p, off_k, ch, size, made)
    weight = p[off_w : off_w + n_w].reshape((channels, (latent + 1) * length))
    matrix = work[: (latent + 1) * points].reshape((latent + 1, points))
    kernel = np.ascontiguousarray(made[layers - 1, :channels, : layers * (size - 1) + 1].T)
    _spread(weight, kernel, latent + 1, length, wide, matrix)
    # Transposed convolutions add less of a bias near the ends, where fewer of their steps reach.
    for layer in range(layers - 1):
        span = points - (layer + 1) * (size - 1)
        for j in range(ch[layer + 1]):
            bias = p[off_b[layer + 1] + j]
            for s in range((layer + 1) * (size - 1) + 1):
                add = bias * made[layer, j, s]
                to = matrix[latent, s : s + span]
                for q in range(span):
                    to[q] += add
    np.dot(z, matrix[:latent], out)
    for b in range(out.shape[0]):
        for q in range(points):
            out[b, q] += matrix[latent, q] + p[off_b[0]]


@_jit
def _decode_back(p, g, at, ch, size, z, slope_out, dz, work, wide, made, more):  # type: ignore[no-untyped-def]
    """Adds to dz what the decoder says; `slope_out` are gradients of the patterns."""
    off_k, off_b, off_w = at[3], at[4], at[2, 1]
    layers, latent, points = ch.size - 1, z.shape[1], slope_out.shape[1]
    channels, length = ch[layers], points - layers * (size - 1)
    n_w, reach = (latent + 1) * channels * length, layers * (size - 1) + 1
    matrix = work[: (latent + 1) * points].reshape((latent + 1, points))
    dz += np.dot(slope_out, matrix[:latent].T)
    slope = more[: (latent + 1) * points].reshape((latent + 1, points))
    np.dot(z.T, slope_out, slope[:latent])
    for q in range(points):
        total = np.float32(0)
        for b in range(slope_out.shape[0]):
            total += slope_out[b, q]
        slope[latent, q] = total
    g[off_b[0]] += slope[latent].sum()
    weight = p[off_w : off_w + n_w].reshape((channels, (latent + 1) * length))
    to_weight = g[off_w : off_w + n_w].reshape((channels, (latent + 1) * length))
    down = np.zeros_like(made)
    kernel = np.ascontiguousarray(made[layers - 1, :channels, :reach].T)
    to_kernel = np.empty_like(kernel)
    _spread_back(weight, kernel, slope, length, wide, to_weight, to_kernel)
    down[layers - 1, :channels, :reach] = to_kernel.T
    for layer in range(layers - 1):
        span = points - (layer + 1) * (size - 1)
        for s in range((layer + 1) * (size - 1) + 1):
            total = slope[latent, s : s + span].sum()
            for j in range(ch[layer + 1]):
                g[off_b[layer + 1] + j] += made[layer, j, s] * total
                down[layer, j, s] += p[off_b[layer + 1] + j] * total
    _compose_back(p, g, off_k, ch, size, made, down)


@_jit
def _read(p, off, widths, shown, kept, factors, dropout, state):  # type: ignore[no-untyped-def]
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


@_jit
def _next(state):  # type: ignore[no-untyped-def]
    """64 random bits: xorshift64*, S. Vigna, ACM Trans. Math. Softw. 42, 30 (2016)."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return x * np.uint64(2685821657736338717)


@_jit
def _read_back(p, g, off, widths, n, kept, factors, slope, spare):  # type: ignore[no-untyped-def]
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


@_jit
def _surprise(told, truth, groups, is_number, slope):  # type: ignore[no-untyped-def]
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


@_jit
def _hidden(n, k, hide, state):  # type: ignore[no-untyped-def]
    """Which modalities are shown (n, k): each is hidden with that probability, but for one drawn before."""
    there = np.ones((n, k), np.bool_)
    if k > 1 and hide > 0:
        for b in range(n):
            first = np.int64(_next(state) % np.uint64(k))
            for i in range(k):
                there[b, i] = i == first or (_next(state) >> np.uint64(40)) >= np.uint64(hide * (1 << 24))
    return there


@_jit
def _show(a, there, sizes, out):  # type: ignore[no-untyped-def]
    """Latent numbers, or gradients of them, of the modalities that are shown; 0 for the others."""
    column = 0
    for i in range(sizes.shape[0]):
        for b in range(a.shape[0]):
            for j in range(column, column + sizes[i, 1]):
                out[b, j] = a[b, j] if there[b, i] else np.float32(0)
        column += sizes[i, 1]


@_jit
def _clear(g, at, ch, size, latent, points):  # type: ignore[no-untyped-def]
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


@_jit
def _misfit(made, true, there, scaler):  # type: ignore[no-untyped-def]
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


@_jit
def step(p, g, net, x, truth, stage, dropout, hide, state, w, learn):  # type: ignore[no-untyped-def]
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
            _encode(p, offs[i], ch, size, part, own, work, wide, made[2 * i], sums[i], biases[i])
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
            _decode(p, offs[i], ch, size, own, out, work, wide, made[2 * i + 1])
            again += _misfit(out, part, there[:, i], scalers[i])
            if learn:
                _decode_back(p, g, offs[i], ch, size, own, out, down, work, wide, made[2 * i + 1], more)
        if learn:
            _encode_back(p, g, offs[i], ch, size, part, down, work, wide, made[2 * i], sums[i], biases[i])
        start, column = start + points, column + latent
    return read, again


@_jit
def rooms(n, sizes, ch, size, widths):  # type: ignore[no-untyped-def]
    """Arrays to work in for batches of n."""
    room = n * (sizes[:, 1].sum() + sizes.shape[0])
    span = (sizes[:, 1].max() + 1) * sizes[:, 0].max()
    rows = n * widths.max()
    return (
        np.empty(room, np.float32), np.empty(room, np.float32), np.empty(span, np.float32), np.empty(span, np.float32),
        np.empty(span * ((ch.size - 1) * (size - 1) + 1), np.float32), np.empty((widths.size, rows), np.float32),
        np.empty((widths.size, rows), np.float32), np.empty(rows, np.float32), np.empty(rows, np.float32),
    )  # fmt: skip


@_jit
def _adamw(p, g, first, second, lo, hi, rate, decay, n):  # type: ignore[no-untyped-def]
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


@_jit
def train_published(  # type: ignore[no-untyped-def]
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
