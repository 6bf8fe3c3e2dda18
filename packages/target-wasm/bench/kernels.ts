import { makeIRModule, makeGlobalVar, type IRModule } from "@verticil/ir-core";
import {
  add,
  constant,
  makeAllocate,
  makeBroadcast,
  makeBuffer,
  makeBufferLoad,
  makeBufferStore,
  makeDeclBuffer,
  makeFor,
  makePrimFunc,
  makeRamp,
  makeSeq,
  makeVar,
  mul,
  toExpr,
  type Buffer,
  type ExprLike,
  type PrimExpr,
  type PrimFunc,
  type Stmt,
} from "@verticil/tir";

// Kernels in the flat form, as a schedule leaves them: register tiles in `local` scope, unrolled, vectorized by 4.

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => i);
}

function vector(buffer: Buffer, at: PrimExpr, lanes = 4): PrimExpr {
  return makeBufferLoad(buffer, [makeRamp(at, toExpr(1), lanes)]);
}

function splat(buffer: Buffer, at: PrimExpr): PrimExpr {
  return makeBroadcast(makeBufferLoad(buffer, [at]), 4);
}

function loop(name: string, extent: number, body: (i: PrimExpr) => Stmt): Stmt {
  const v = makeVar(name);
  return makeFor(v, toExpr(0), toExpr(extent), body(v));
}

function kernel(buffers: readonly Buffer[], body: Stmt, name: string): PrimFunc {
  const params = buffers.map((b) => makeVar(b.name, "handle"));
  return makePrimFunc(params, body, {
    bufferMap: new Map(params.map((p, i) => [p, buffers[i] as Buffer])),
    attrs: { global_symbol: name },
  });
}

/** A module of one function. */
export function moduleOf(func: PrimFunc): IRModule {
  const name = String(func.attrs["global_symbol"]);
  return makeIRModule(new Map([[makeGlobalVar(name), func]]));
}

/** The tile: `init`, the reduction around `step`, and the write-back, over `rows × vectors` accumulators. */
function tile(
  rows: number,
  vectors: number,
  reduction: (step: (a: (row: number) => PrimExpr, b: (v: number) => PrimExpr) => Stmt) => Stmt,
  store: (row: number, v: number, value: PrimExpr) => Stmt,
): Stmt {
  const acc = makeBuffer("acc", [rows * vectors * 4], "float32", { scope: "local" });
  const at = (row: number, v: number): PrimExpr => makeRamp(toExpr((row * vectors + v) * 4), toExpr(1), 4);
  const each = (f: (row: number, v: number) => Stmt): Stmt => makeSeq(range(rows).flatMap((row) => range(vectors).map((v) => f(row, v))));
  const body = makeSeq([
    each((row, v) => makeBufferStore(acc, constant(0, "float32x4"), [at(row, v)])),
    reduction((a, b) => each((row, v) => makeBufferStore(acc, add(makeBufferLoad(acc, [at(row, v)]), mul(a(row), b(v))), [at(row, v)]))),
    each((row, v) => store(row, v, makeBufferLoad(acc, [at(row, v)]))),
  ]);
  return makeAllocate(acc.data, "float32", [toExpr(rows * vectors * 4)], makeDeclBuffer(acc, body));
}

const sum = (...terms: readonly ExprLike[]): PrimExpr => terms.map((t) => toExpr(t)).reduce((x, y) => add(x, y));

/** `C = A · B`, n×n; B packed by blocks of 8 columns (`packed`) or row-major. */
export function matmul(n: number, packed: boolean, rows = 4, vectors = 2): PrimFunc {
  const [A, B, C] = ["A", "B", "C"].map((name) => makeBuffer(name, [n * n], "float32")) as [Buffer, Buffer, Buffer];
  const width = vectors * 4;
  const body = loop("jo", n / width, (jo) =>
    loop("io", n / rows, (io) =>
      tile(
        rows,
        vectors,
        (step) =>
          loop("k", n, (k) =>
            step(
              (row) => splat(A, sum(mul(add(mul(io, rows), row), n), k)),
              (v) => vector(B, packed ? sum(mul(jo, n * width), mul(k, width), v * 4) : sum(mul(k, n), mul(jo, width), v * 4)),
            ),
          ),
        (row, v, value) => makeBufferStore(C, value, [makeRamp(sum(mul(add(mul(io, rows), row), n), mul(jo, width), v * 4), toExpr(1), 4)]),
      ),
    ),
  );
  return kernel([A, B, C], body, "matmul");
}

/** 3×3 convolution of a padded NHWC image, HWIO weights (packed by 8 output channels if told), 4 pixels × 8 channels. */
export function conv3x3(size: number, ic: number, oc: number, packed: boolean): PrimFunc {
  const padded = size + 2;
  const X = makeBuffer("X", [padded * padded * ic], "float32");
  const W = makeBuffer("W", [9 * ic * oc], "float32");
  const Y = makeBuffer("Y", [size * size * oc], "float32");
  const weight = (kh: PrimExpr, kw: PrimExpr, c: PrimExpr, o: PrimExpr, v: number): PrimExpr =>
    packed
      ? sum(mul(add(mul(add(mul(add(mul(o, 3), kh), 3), kw), ic), c), 8), v * 4)
      : sum(mul(add(mul(add(mul(kh, 3), kw), ic), c), oc), mul(o, 8), v * 4);
  const body = loop("o", oc / 8, (o) =>
    loop("y", size, (y) =>
      loop("xo", size / 4, (xo) =>
        tile(
          4,
          2,
          (step) =>
            loop("kh", 3, (kh) =>
              loop("kw", 3, (kw) =>
                loop("c", ic, (c) =>
                  step(
                    (px) => splat(X, sum(mul(add(mul(add(y, kh), padded), add(add(mul(xo, 4), px), kw)), ic), c)),
                    (v) => vector(W, weight(kh, kw, c, o, v)),
                  ),
                ),
              ),
            ),
          (px, v, value) => makeBufferStore(Y, value, [makeRamp(sum(mul(add(mul(y, size), add(mul(xo, 4), px)), oc), mul(o, 8), v * 4), toExpr(1), 4)]),
        ),
      ),
    ),
  );
  return kernel([X, W, Y], body, "conv3x3");
}
