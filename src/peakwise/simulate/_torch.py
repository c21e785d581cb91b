"""The same physics and profiles in torch: an independent reference, and what renders on a GPU.

Loaded only when asked for. On a GPU where Triton is installed, `_triton` sums the profiles and counts; elsewhere the
plain torch form below does, which is also its reference. The lines come from the same compiled phases and tables; every
line is summed over every grid point directly, without the far field of the numba kernel, with exp2 and exact roots in
place of polynomials.
"""

from __future__ import annotations

import math
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import MissingExtraError, OptionError
from peakwise.simulate._columns import FRAME, N_IMPURITIES, N_SPIKES, SLOT
from peakwise.simulate._compile import TILE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.simulate._columns import Tables
    from peakwise.simulate._compile import Compiled, Grid

__all__ = ["render_torch"]

_DEG = 180.0 / math.pi
_SCHERRER = 0.9
_MOST_HEIGHTS = 16
_LINES_AT_ONCE = 8
_POISSON_SMALL = 8.0
_NOISE_STREAM = 7
# The centre of an absorbing capillary, and the tail of Temme's r(s): see the numba kernels.
_CENTRE = (0.3418, -0.3954, -0.1010, 0.0697, -0.5688, 0.4332)
_TEMME = (
    0.0029415627640226294,
    -0.0006232348528995552,
    0.001127735805457845,
    -0.0009546773065850423,
    0.00022836796554928597,
)
_LEAST_S = -1.385
_MASK = 0xFFFFFFFF


def render_torch(
    compiled: Compiled,
    grid: Grid,
    optics: NDArray[np.float64],
    tables: Tables,
    bank: NDArray[np.float32],
    seed: int,
    mode: int,
    noise: str,
    device: str,
    *,
    double: bool | None = None,
    at_once: int | None = None,
    kernels: str | None = None,
) -> NDArray[np.float32]:
    """Render tables with torch; see `peakwise.simulate.Simulator.render`.

    Sums are in double precision on the CPU (the reference) and in single precision elsewhere. `kernels` is ``triton``
    or ``torch``; by default Triton on a GPU where it is installed.
    """
    try:
        import torch
    except ImportError as problem:
        raise MissingExtraError(
            "cannot render with torch", "torch is not installed", "Run pip install 'peakwise[torch]'"
        ) from problem
    try:
        where = torch.device(device)
        torch.zeros(1, device=where)
    except (RuntimeError, AssertionError) as problem:
        why = str(problem).splitlines()[0]
        raise OptionError(f"cannot render on {device!r}", why, "Use numba, cpu or cuda") from problem
    if kernels is None:
        kernels = "triton" if where.type == "cuda" and find_spec("triton") is not None else "torch"
    one = _Renderer(torch, compiled, grid, optics, bank, where, (where.type == "cpu") if double is None else double)
    one.kernels = import_module("peakwise.simulate._triton") if kernels == "triton" else None
    at_once = at_once or (64 if one.kernels is None else 1024)
    n = len(tables.frames)
    out = np.empty((n, grid.points), np.float32)
    for a in range(0, n, at_once):
        part = slice(a, min(a + at_once, n))
        done = one.render(tables.slots[part], tables.frames[part], mode)
        if mode:
            one.finish(done, tables.frames[part], seed, mode, noise)
        out[part] = done[:, : grid.points].cpu().numpy()
    return out


class _Renderer:
    """The arrays of one simulator on one device."""

    def __init__(
        self, torch: Any, compiled: Compiled, grid: Grid, optics: NDArray[np.float64], bank: NDArray[np.float32],
        device: Any, double: bool,
    ) -> None:  # fmt: skip
        self.torch, self.compiled, self.optics, self.device = torch, compiled, optics.tolist(), device
        self.dtype = torch.float64 if double else torch.float32
        self.x = self.put(grid.x[: grid.points])
        self.squares, self.s2 = self.put(compiled.squares), self.put(compiled.s2)
        self.strength, self.cosine2 = self.put(compiled.strength), self.put(compiled.cosine2)
        self.polynomial, self.air = self.put(grid.polynomial[: grid.points]), self.put(grid.air[: grid.points])
        self.bank = self.put(bank)
        self.axes = [self._dense(a) for a in range(compiled.axis_offsets.shape[0])]
        self.kernels: Any = None  # the module of the Triton kernels, where they are used
        tiles = np.add.reduceat(np.ones(grid.x.size, np.int64), np.arange(0, grid.x.size, TILE))
        last = np.cumsum(tiles) - 1
        halves = (grid.x[last] - grid.x[last - tiles + 1]) / 2
        self.tiles = (
            torch.as_tensor(grid.near, device=device), self.put(grid.origins),
            torch.as_tensor(halves.astype(np.float32), device=device),
        )  # fmt: skip

    def put(self, array: Any) -> Any:
        """An array on the device, in double precision."""
        return self.torch.as_tensor(np.asarray(array, dtype=np.float64), device=self.device)

    def _dense(self, axis: int) -> tuple[Any, Any, Any]:
        """cos^2, sin^2 and shares of each family's members, padded to the longest list."""
        offsets = self.compiled.axis_offsets[axis]
        counts = np.diff(offsets)
        shape = (len(counts), int(counts.max(initial=1)))
        cosine2, sine2, share = np.zeros(shape), np.ones(shape), np.zeros(shape)
        row = np.repeat(np.arange(len(counts)), counts)
        column = np.arange(offsets[-1] - offsets[0]) - np.repeat(offsets[:-1] - offsets[0], counts)
        cosine2[row, column] = self.compiled.axis_cosine2[offsets[0] : offsets[-1]]
        sine2[row, column] = self.compiled.axis_sine2[offsets[0] : offsets[-1]]
        share[row, column] = self.compiled.axis_share[offsets[0] : offsets[-1]]
        return self.put(cosine2), self.put(sine2), self.put(share)

    def render(self, slots: NDArray[np.float64], frames: NDArray[np.float64], mode: int) -> Any:
        """The sum of all lines."""
        lines: list[tuple[Any, Any, Any, Any]] = []
        for k in range(slots.shape[1]):
            lines += self._phase(slots[:, k], frames)
        if mode:
            lines.append(self._impurities(lines, frames))
        return self._profile(*(self.torch.cat(part, dim=1) for part in zip(*lines, strict=True)))

    def _phase(self, slot: NDArray[np.float64], frames: NDArray[np.float64]) -> list[tuple[Any, Any, Any, Any]]:
        torch, c = self.torch, self.compiled
        number = slot[:, SLOT["phase"]].astype(np.int64)
        there = (number >= 0) & (slot[:, SLOT["weight"]] > 0)
        number = np.maximum(number, 0)
        longest = int((c.first[1:] - c.first[:-1])[number].max())
        index = c.first[number][:, None] + np.arange(longest)
        inside = (index < c.first[number + 1][:, None]) & there[:, None]
        index = np.minimum(index, len(c.s2) - 1)
        at = torch.as_tensor(index, device=self.device)
        metric, volume = _metric(c.cell[number], slot)
        s2 = (self.squares[:, at] * self.put(metric.T)[:, :, None]).sum(0)
        change = s2 / self.s2[at] - 1
        texture = self._texture(slot, at)
        result = []
        for line, wavelength in enumerate(c.wavelengths.tolist()):
            use = inside & (index >= c.low[number, line][:, None]) & (index < c.high[number, line][:, None])
            p = self.strength[line][:, at]
            power = p[-1]
            for term in reversed(p[:-1]):
                power = term + change * power
            power = power.clamp(min=0)
            scale = slot[:, SLOT["weight"]] / (c.mass[number] * volume) * c.shares[line]
            made = self._lines(
                s2, power * texture * self.put(scale)[:, None], self.cosine2[at], wavelength, slot, frames
            )
            made = (made[0], made[1] * torch.as_tensor(use, device=self.device), made[2], made[3])
            result.append(self._axial(*made) if self.optics[9] + self.optics[10] > 0 else made)
        return result

    def _texture(self, slot: NDArray[np.float64], at: Any) -> Any:
        torch = self.torch
        total, rest = torch.zeros(at.shape, dtype=torch.float64, device=self.device), np.ones(len(slot))
        for r_name, axis_name, share_name in (
            ("march", "march_axis", "march_share"),
            ("second_march", "second_axis", "second_share"),
        ):
            r, number = slot[:, SLOT[r_name]], slot[:, SLOT[axis_name]].astype(np.int64)
            share = np.where(r != 1.0, slot[:, SLOT[share_name]], 0.0)
            rest = rest - share
            for axis, (cosine2, sine2, members) in enumerate(self.axes):
                rows = np.flatnonzero((number == axis) & (share > 0))
                if rows.size:
                    here = torch.as_tensor(rows, device=self.device)
                    rr = self.put(r[rows])[:, None, None]
                    spread = rr**2 * cosine2[at[here]] + sine2[at[here]] / rr
                    weight = (spread**-1.5 * members[at[here]]).sum(-1)
                    total[here] += self.put(share[rows])[:, None] * weight
        return total + self.put(rest)[:, None]

    def _lines(
        self,
        s2: Any,
        area: Any,
        cosine2: Any,
        wavelength: float,
        slot: NDArray[np.float64],
        frames: NDArray[np.float64],
    ) -> tuple[Any, Any, Any, Any]:
        """Position [deg], area, FWHM [deg] and Lorentzian share."""
        torch = self.torch
        u, v, w, x, y, pol, mono, radius, is_tube, _, _, tube_radius = self.optics

        def s(name: str) -> Any:
            return self.put(slot[:, SLOT[name]])[:, None]

        def f(name: str) -> Any:
            return self.put(frames[:, FRAME[name]])[:, None]

        sin2 = s2 * wavelength**2
        reached = sin2 < 0.99999
        sin2 = sin2.clamp(max=0.99999)
        sine, cosine = sin2.sqrt(), (1 - sin2).sqrt()
        tan = sine / cosine
        lp = (pol + (1 - pol) * mono * (1 - 2 * sin2) ** 2) / (pol + (1 - pol) * mono) / (sin2 * cosine)
        mu = f("absorption")
        thin = 1 - torch.exp(-2 * mu / sine)
        tube = torch.exp(-mu * (1.7133 - 0.0368 * sin2 - mu * (0.0927 + 0.375 * sin2)))
        taken = torch.where(mu > 0, tube if is_tube > 0.5 else thin, torch.ones_like(thin))
        area = area * lp * taken * torch.exp(-2 * s("b_extra") * s2) * reached
        width = f("width")
        gauss = (width**2 * (u * tan**2 + v * tan + w)).clamp(min=1e-10).sqrt()
        micro = 4 * _DEG * s("microstrain") * (1 + (s("microstrain_ratio") - 1) * cosine2)
        size, ratio = s("size") * 10, s("size_ratio")
        across = size * ratio ** (-1 / 3)
        blur = torch.where(size > 0, _SCHERRER * wavelength * _DEG / across, torch.zeros_like(size))
        blur = blur * (1 + (1 / ratio**2 - 1) * cosine2).sqrt()
        lorentz = ((x * width + micro) * tan + (y * width + blur) / cosine).clamp(min=0)
        g, lo = gauss, lorentz
        fwhm = (
            g**5 + 2.69269 * g**4 * lo + 2.42843 * g**3 * lo**2 + 4.47163 * g**2 * lo**3 + 0.07842 * g * lo**4 + lo**5
        ) ** 0.2
        q = lo / fwhm
        eta = q * (1.36603 - q * (0.47719 - q * 0.11116))
        sin_2t, cos_2t = 2 * sine * cosine, 1 - 2 * sin2
        if is_tube > 0.5:
            c = _CENTRE
            drawn = 1 + mu * (c[0] + sin2 * (c[1] + sin2 * c[2])) + mu**2 * (c[3] + sin2 * (c[4] + sin2 * c[5]))
            moved = f("displacement") * cos_2t - f("displacement_along") * sin_2t
            moved = (moved + mu * tube_radius / 4 * drawn * sin_2t) / radius
        else:
            moved = -2 * f("displacement") / radius * cosine - f("transparency") * sin_2t
        return 2 * _DEG * torch.asin(sine) + f("zero") + _DEG * moved, area, fwhm, eta

    def _axial(self, pos: Any, area: Any, fwhm: Any, eta: Any) -> tuple[Any, Any, Any, Any]:
        torch = self.torch
        s, h = self.optics[9], self.optics[10]
        top, shelf = s + h, abs(s - h)
        theta2 = pos / _DEG
        cosine = theta2.cos()
        shift = theta2 - (cosine * math.sqrt(1 + top * top)).clamp(-1, 1).acos()
        plain = (theta2 <= 0.002) | (theta2 >= math.pi - 0.002)
        moved = ~plain & (shift.abs() * _DEG < 0.25 * fwhm)
        many = (4 * shift.abs() * _DEG / fwhm).ceil().clamp(2, _MOST_HEIGHTS)
        many = torch.where(plain | moved, torch.ones_like(many), many)[..., None]
        k = torch.arange(int(many.max()), dtype=torch.float64, device=self.device)
        height = (k + 0.5) / many * top
        part = torch.where(
            height > shelf, ((top - height) / max(top - shelf, 1e-12)).clamp(0, 1), torch.ones_like(height)
        )
        part = part * (k < many)
        part = part / part.sum(-1, keepdim=True)
        there = (cosine[..., None] * (1 + height**2).sqrt()).clamp(-1, 1).acos() * _DEG
        single = torch.where(moved, pos - _DEG * (s * s + h * h) / 6 * cosine / (1 - cosine**2).sqrt(), pos)[..., None]
        there = torch.where(many == 1, single.expand_as(there), there)
        wide = there.shape
        flat = (wide[0], -1)
        return (
            there.reshape(flat),
            (area[..., None] * part).reshape(flat),
            fwhm[..., None].expand(wide).reshape(flat),
            eta[..., None].expand(wide).reshape(flat),
        )

    def _impurities(self, lines: list[Any], frames: NDArray[np.float64]) -> tuple[Any, Any, Any, Any]:
        torch = self.torch
        area, fwhm, eta = (torch.cat([one[i] for one in lines], dim=1) for i in (1, 2, 3))
        height = area / fwhm * (2 * eta / math.pi + (1 - eta) * 2 * math.sqrt(math.log(2) / math.pi))
        top = height.max(dim=1, keepdim=True).values
        first, second = FRAME["impurity_position_1"], FRAME["impurity_height_1"]
        pos = self.put(frames[:, first : first + N_IMPURITIES])
        high = self.put(frames[:, second : second + N_IMPURITIES]) * top * 0.5
        wide = self.put(frames[:, FRAME["impurity_width"]])[:, None].expand_as(pos)
        lorentz, gauss = high * wide * math.pi / 2, high * wide / (2 * math.sqrt(math.log(2) / math.pi))
        share = lorentz / (lorentz + gauss).clamp(min=1e-300)
        return pos, lorentz + gauss, wide, share

    def _profile(self, pos: Any, area: Any, fwhm: Any, eta: Any) -> Any:
        """Pseudo-Voigts on the grid, a few lines at a time; distances in double precision."""
        torch = self.torch
        if self.kernels is not None:
            return self.kernels.profile(pos, area, fwhm, eta, self.tiles, len(self.x))
        y = torch.zeros((len(pos), len(self.x)), dtype=self.dtype, device=self.device)
        keep = torch.nonzero((area > 0).any(0)).flatten()
        for part in keep.split(_LINES_AT_ONCE):
            distance = (self.x[None, :, None] - pos[:, None, part]).to(self.dtype)
            a, w, e = (v[:, None, part].to(self.dtype) for v in (area, fwhm, eta))
            t2 = (2 * distance / w) ** 2
            gauss = (1 - e) * (2 * math.sqrt(math.log(2) / math.pi)) * torch.exp2(-t2)
            y += (a / w * (e * (2 / math.pi) / (1 + t2) + gauss)).sum(-1)
        return y

    def finish(self, y: Any, frames: NDArray[np.float64], seed: int, mode: int, noise: str) -> None:
        """Background, noise and spikes in place."""
        torch = self.torch

        def f(name: str) -> Any:
            return self.put(frames[:, FRAME[name]])[:, None]

        top = y.max(dim=1, keepdim=True).values
        y /= torch.where(top > 0, top, torch.ones_like(top))
        t = self.polynomial
        s1, s2, s3, s4 = (f(f"shape_{i}") for i in (1, 2, 3, 4))
        smooth = 1 + s1 * t + s2 * (2 * t**2 - 1) + s3 * (4 * t**3 - 3 * t) + s4 * (8 * t**4 - 8 * t**2 + 1)
        under = (f("background") * smooth + f("fluorescence")).clamp(min=0) + f("air") * self.air
        for lead in ("", "second_"):
            step = (self.x - f(f"{lead}hump_position")) / f(f"{lead}hump_width")
            under = under + f(f"{lead}hump_height") * torch.exp2(-4 * step**2)
        if len(self.bank):
            rows = torch.as_tensor(frames[:, FRAME["measured_row"]].astype(np.int64), device=self.device)
            under = under + f("measured") * self.bank[rows]
        y += under.to(y.dtype)
        counts, index = frames[:, FRAME["counts"]], frames[:, FRAME["index"]].astype(np.int64)
        if self.kernels is not None:
            many = index.astype(np.uint64)
            four = (*_keys(seed, many, _NOISE_STREAM), *_keys(seed, many, _NOISE_STREAM + 1))
            keys = torch.as_tensor(np.stack(four, axis=1).astype(np.int64), device=self.device)
            self.kernels.count(y, counts, mode, keys, noise)
        else:
            for i in np.flatnonzero(counts > 0):
                made = self._counted(y[i] * counts[i], seed, int(index[i]), noise)
                y[i] = made if mode == 2 else made / counts[i]
        for k in range(1, N_SPIKES + 1):
            point = frames[:, FRAME[f"spike_point_{k}"]].astype(np.int64)
            height = frames[:, FRAME[f"spike_height_{k}"]]
            high = np.where(counts > 0, np.floor(height * counts), height) if mode == 2 else height
            rows = np.flatnonzero((point >= 0) & (point < y.shape[1]))
            if rows.size:
                at = (torch.as_tensor(rows, device=self.device), torch.as_tensor(point[rows], device=self.device))
                y.index_put_(at, self.put(high[rows]).to(y.dtype), accumulate=True)

    def _counted(self, mean: Any, seed: int, index: int, noise: str) -> Any:
        torch, m = self.torch, len(mean)
        half = (m + 1) // 2
        k1, k2 = _keys(seed, index, _NOISE_STREAM)
        even = torch.arange(half, dtype=torch.int64, device=self.device) * 2
        z0, z1 = self._normals(_hashed(even, k1, k2), _hashed(even + 1, k1, k2))
        z = torch.cat((z0, z1))[:m]
        if noise == "gaussian":
            return mean + mean.sqrt() * z
        safe = mean.clamp(min=0.5)
        s = (z / safe.sqrt()).clamp(min=_LEAST_S)
        top = _TEMME[-1]
        for term in reversed(_TEMME[:-1]):
            top = term + s * top
        q = safe * (1 + s + s**2 / 6 - s**3 / 72 + s**4 * top) + 1 / 3 - s / 36 + 7 / 810 * s**2 - 8 / 405 / safe
        q = q.floor().clamp(min=0)
        few = torch.nonzero(mean < _POISSON_SMALL).flatten()
        if len(few):
            j1, j2 = _keys(seed, index, _NOISE_STREAM + 1)
            u = (((_hashed(few, j1, j2) >> 9).double() + 0.5) * 2.0**-23).clamp(max=1 - 1e-6)
            q[few] = _quantile(torch, mean[few].double(), u).to(q.dtype)
        return q

    def _normals(self, h1: Any, h2: Any) -> tuple[Any, Any]:
        u = ((h1 >> 9).double() + 0.5) * 2.0**-23
        r = (-2 * u.log()).sqrt()
        signed = self.torch.where(h2 >= 2**31, h2 - 2**32, h2).double()
        angle = signed * (math.pi * 2.0**-31)
        return (r * angle.cos()).to(self.dtype), (r * angle.sin()).to(self.dtype)


def _metric(cell: NDArray[np.float64], slot: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A quarter of the reciprocal metric (n, 6), and the volumes, of strained cells."""
    first, turn = SLOT["strain_a"], SLOT["shear_alpha"]
    a, b, c = (cell[:, :3] * (1 + slot[:, first : first + 3])).T
    ca, cb, cg = np.cos(cell[:, 3:] + np.radians(slot[:, turn : turn + 3])).T
    root = 1 - ca**2 - cb**2 - cg**2 + 2 * ca * cb * cg
    parts = [
        (1 - ca**2) / a**2, (1 - cb**2) / b**2, (1 - cg**2) / c**2,
        (cb * cg - ca) / (b * c), (ca * cg - cb) / (a * c), (ca * cb - cg) / (a * b),
    ]  # fmt: skip
    return np.stack(parts, axis=1) / (4 * root[:, None]), a * b * c * np.sqrt(root)


def _hashed(counter: Any, k1: int, k2: int) -> Any:
    """The hash of `_random` in 64-bit integers."""
    x = (counter * 0x9E3779B9 + k1) & _MASK
    x = ((x ^ (x >> 16)) * 0x7FEB352D) & _MASK
    x = x ^ k2
    x = ((x ^ (x >> 15)) * 0x846CA68B) & _MASK
    return x ^ (x >> 16)


def _keys(seed: int, index: Any, stream: int) -> tuple[Any, Any]:
    """The keys of `_random`, of one pattern (int) or of many (uint64, whose products wrap round without harm)."""
    s1, s2, i1, i2 = seed & _MASK, (seed >> 32) & _MASK, index & _MASK, (index >> 32) & _MASK
    a = _hashed(i1, s1, (s2 + stream * 0x7FEB352D) & _MASK)
    b = _hashed(i1 ^ 0x846CA68B, (s1 + i2) & _MASK, s2 ^ a)
    return (a + i2 * 0x9E3779B9) & _MASK, b


def _quantile(torch: Any, mean: Any, u: Any) -> Any:
    """Poisson quantiles by adding up probabilities."""
    p = torch.exp(-mean)
    total, k = p.clone(), torch.zeros_like(mean)
    for step in range(1, 33):
        more = u > total
        if not bool(more.any()):
            break
        k = torch.where(more, k + 1, k)
        p = p * mean / step
        total = torch.where(more, total + p, total)
    return k
