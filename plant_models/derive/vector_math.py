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
def _integer(typingctx, value):
    return types.int64(types.float64), lambda context, builder, signature, args: builder.fptosi(args[0], ir.IntType(64))


@nb.njit(inline="always", error_model="numpy")
def exp(x):
    # Cody-Waite reduction to |r| <= ln(2)/2, Taylor polynomial of degree 13, exponent set through the bits.
    x = 709.0 if x > 709.0 else (-708.0 if x < -708.0 else x)
    n = math.floor(1.4426950408889634 * x + 0.5)
    r = x - n * 6.93145751953125e-1
    r = r - n * 1.42860682030941723212e-6
    s = 1.0 + r * (1.0 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + r * (1 / 720 + r * (1 / 5040
        + r * (1 / 40320 + r * (1 / 362880 + r * (1 / 3628800 + r * (1 / 39916800 + r * (1 / 479001600
        + r * (1 / 6227020800)))))))))))))
    return s * _double((_integer(n) + 1023) << 52)


@nb.njit(inline="always", error_model="numpy")
def power(x, y):
    return x ** y


'''
