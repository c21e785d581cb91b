"""The maps of the published networks of descriptors, forwards and backwards, in compiled loops.

Convolutions without anything between them are one linear map, and so is the dense layer behind them. So the encoder is
computed once a step as one matrix (n_latent, n_points), whatever the size of the batch, and the decoder likewise;
the chain rule then goes back through the same products to the parameters that the published network has. Nothing is
approximated: gradients equal those of the network as it is printed (tests compare them with torch).

Of each modality the flat array of parameters holds: kernels (out, in, kernel) and biases of the encoder's convolutions,
its dense layer (channels, n_latent, length) and bias; with a decoder, its dense layer (channels, n_latent + 1, length)
whose last row is the bias, then kernels (in, out, kernel) and biases of the transposed convolutions from the last to
the first, so that they have the shapes of the encoder's.
"""

from __future__ import annotations

import numpy as np

from peakwise._jit import FAST, jit

__all__ = ["decode", "decode_back", "encode", "encode_back"]


@jit(fastmath=FAST)
def _compose(p, off, ch, size, made):
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


@jit(fastmath=FAST)
def _compose_back(p, g, off, ch, size, made, slope):
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


@jit(fastmath=FAST)
def _spread(weight, kernel, rows, length, wide, out):
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


@jit(fastmath=FAST)
def _spread_back(weight, kernel, slope, length, wide, to_weight, to_kernel):
    reach, rows = kernel.shape[0], slope.shape[0]
    steps = wide[: reach * rows * length].reshape((reach, rows * length))
    for s in range(reach):
        for r in range(rows):
            steps[s, r * length : (r + 1) * length] = slope[r, s : s + length]
    np.dot(kernel.T, steps, to_weight)
    np.dot(steps, weight.T, to_kernel)


@jit(fastmath=FAST)
def _biases(p, off, ch, made, out):
    """The bias that valid convolutions add up to, a channel; `made` are the sums of kernels."""
    out[0, : ch[1]] = p[off[0] : off[0] + ch[1]]
    for layer in range(1, ch.size - 1):
        for o in range(ch[layer + 1]):
            total = p[off[layer] + o]
            for i in range(ch[layer]):
                total += made[layer, o, i] * out[layer - 1, i]
            out[layer, o] = total


@jit(fastmath=FAST)
def _kernel_sums(p, off, ch, size, made):
    for layer in range(1, ch.size - 1):
        for o in range(ch[layer + 1]):
            for i in range(ch[layer]):
                at = off[layer] + (o * ch[layer] + i) * size
                made[layer, o, i] = p[at : at + size].sum()


@jit(fastmath=FAST)
def _biases_back(g, off_k, off_b, ch, size, sums, biases, slope):
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


@jit(fastmath=FAST)
def encode(p, at, ch, size, x, z, work, wide, made, sums, biases):
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


@jit(fastmath=FAST)
def encode_back(p, g, at, ch, size, x, dz, work, wide, made, sums, biases):
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


@jit(fastmath=FAST)
def decode(p, at, ch, size, z, out, work, wide, made):
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


@jit(fastmath=FAST)
def decode_back(p, g, at, ch, size, z, slope_out, dz, work, wide, made, more):
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
