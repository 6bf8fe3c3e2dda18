import { at } from "@verticil/ir-core";
import type { ScalarDType } from "@verticil/runtime-ffi";
import { add, cast, constant, mul, sub, type PrimExpr } from "@verticil/tir";
import { extern } from "../compute.ts";
import type { Tensor } from "../tensor.ts";
import { load, loop, loops, seq, store, when } from "./statements.ts";
import { axisOf, int, productOf, reshape } from "./transform.ts";

/** What a scan is told. Without an axis the elements are taken in row-major order. */
export interface ScanOptions {
  readonly axis: number | undefined;
  readonly dtype?: ScalarDType | undefined;
  /** Leaves the element at hand out of its own result. */
  readonly exclusive: boolean;
}

function scan(x: Tensor, o: ScanOptions, combine: (a: PrimExpr, b: PrimExpr) => PrimExpr, identity: number, name: string): Tensor {
  const source = o.axis === undefined ? reshape(x, [productOf(x.shape)]) : x;
  const a = axisOf(o.axis ?? 0, source.ndim);
  const dtype = o.dtype ?? x.dtype;
  const n = at(source.shape, a);
  const rest = source.shape.filter((_, i) => i !== a);
  const [out] = extern(
    [{ shape: source.shape, dtype }],
    [source],
    ([input], [output]) => {
      if (input === undefined || output === undefined) throw new RangeError("A scan has one input and one output.");
      return loops("i", rest, (cell) => {
        const indices = (i: PrimExpr): readonly PrimExpr[] => [...cell.slice(0, a), i, ...cell.slice(a)];
        const value = (i: PrimExpr): PrimExpr => cast(dtype, load(input, ...indices(i)));
        const first = store(output, o.exclusive ? constant(identity, dtype) : value(int(0)), ...indices(int(0)));
        const next = loop("k", sub(n, int(1)), (k) => {
          const i = add(k, int(1));
          return store(output, combine(load(output, ...indices(k)), value(o.exclusive ? k : i)), ...indices(i));
        });
        return n.kind === "ir.IntImm" ? seq(first, next) : when({ kind: "tir.LT", dtype: "bool", a: int(0), b: n }, seq(first, next));
      });
    },
    name,
  );
  if (out === undefined) throw new Error("A scan has one output.");
  return out;
}

/** Running sums. */
export function cumsum(x: Tensor, o: ScanOptions): Tensor {
  return scan(x, o, add, 0, "cumsum");
}

/** Running products. */
export function cumprod(x: Tensor, o: ScanOptions): Tensor {
  return scan(x, o, mul, 1, "cumprod");
}
