"""The head of every generated kernel: imports, compiler flags, and elementary functions as plain arithmetic.

It is text, written into each module whole: a cached caller would keep an edited helper's old code.
"""

HEAD = '''"""Generated from a plant file; named by the sha256 of this text. Do not edit."""
import math

import numba as nb
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

# Not fastmath=True: its nnan and ninf let the compiler delete the very checks that must catch NaN and inf.
FLAGS = {"contract", "reassoc", "arcp", "nsz", "afn"}
compiled = nb.njit(fastmath=FLAGS, error_model="numpy", cache=True)
plain = nb.njit(error_model="numpy", cache=True)


@intrinsic
def _double(typingctx, bits):
    return types.float64(types.int64), lambda context, builder, signature, args: builder.bitcast(args[0], ir.DoubleType())


@intrinsic
def _bits(typingctx, value):
    return types.int64(types.float64), lambda context, builder, signature, args: builder.bitcast(args[0], ir.IntType(64))


@intrinsic
def _fused(typingctx, a, b, c):
    # A call, so that the reduction's two steps are not added up into one, which would lose what the second is for.
    def emit(context, builder, signature, args):
        double = ir.DoubleType()
        function = builder.module.declare_intrinsic("llvm.fmuladd", [double], ir.FunctionType(double, [double] * 3))
        return builder.call(function, args)
    return types.float64(types.float64, types.float64, types.float64), emit


@intrinsic
def select(typingctx, condition, yes, no):
    # Not `yes if condition else no`, whose branches a large plant's compilation would spend half its time on.
    def emit(context, builder, signature, args):
        return builder.select(*args)
    return types.float64(types.boolean, types.float64, types.float64), emit


@nb.njit(inline="always", error_model="numpy")
def exp(x):
    # Cody-Waite reduction to |r| <= ln(2)/2 with n in the low bits of t, a minimax polynomial of degree 11 (error 2e-17)
    # by Estrin's scheme, whose branches run side by side, and the exponent set through the bits.
    x = 709.0 if x > 709.0 else (-708.0 if x < -708.0 else x)
    t = _fused(x, 1.4426950408889634, 6755399441055744.0)
    n = t - 6755399441055744.0
    r = _fused(n, -6.93145751953125e-1, x)
    r = _fused(n, -1.42860682030941723212e-6, r)
    z = r * r
    w = z * z
    low = (0.5 + r * 0.16666666666666669) + z * (0.041666666666624164 + r * 0.008333333333330065)
    middle = (0.0013888888917196719 + r * 0.00019841269863040545) + z * (2.4801521322368428e-05 + r * 2.755726848030982e-06)
    high = 2.7620075880109014e-07 + r * 2.510037583265786e-08
    s = (1.0 + r) + z * (low + w * (middle + w * high))
    return s * _double((_bits(t) + 1023) << 52)


@nb.njit(inline="always", error_model="numpy")
def log(x):
    # x = 2^n m with m in [sqrt(1/2), sqrt(2)), log m = 2 artanh((m - 1)/(m + 1)) by its series; n is read off the bits.
    y = x * 18014398509481984.0 if x < 2.2250738585072014e-308 else x
    bits = _bits(y) - _bits(7.0710678118654757e-1) + (1023 << 52)
    n = _double(((bits >> 52) & 2047) | (1075 << 52)) - 4503599627370496.0 - 1023.0
    m = _double(_bits(y) - ((((bits >> 52) & 2047) - 1023) << 52))
    n = n - 54.0 if x < 2.2250738585072014e-308 else n
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    r = z * (2 / 3 + z * (2 / 5 + z * (2 / 7 + z * (2 / 9 + z * (2 / 11 + z * (2 / 13 + z * (2 / 15
        + z * (2 / 17 + z * (2 / 19 + z * (2 / 21 + z * (2 / 23)))))))))))
    w = n * 6.93147180369123816490e-1 + (n * 1.90821492927058770002e-10 + (s * r + 2.0 * s))
    w = w if x > 0.0 else (-math.inf if x == 0.0 else math.nan)
    return w if x < math.inf else x


@nb.njit(inline="always", error_model="numpy")
def tanh(x):
    # A continued fraction cut after seven levels near zero, where 1 - 2/(exp(2x) + 1) would cancel; that form elsewhere.
    z = x * x
    near = x * (135135.0 + z * (17325.0 + z * (378.0 + z))) / (135135.0 + z * (62370.0 + z * (3150.0 + z * 28.0)))
    far = 1.0 - 2.0 / (exp(2.0 * abs(x)) + 1.0)
    far = far if x > 0.0 else -far
    return near if abs(x) < 0.5 else far


@nb.njit(inline="always", error_model="numpy")
def power(x, y):
    # For a positive base; whole and half exponents are written out by emit.py.
    return exp(y * log(x))


'''
