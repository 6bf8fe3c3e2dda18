import { isTensor, tensor, type Any, type PackedFunction } from "@verticil/runtime-ffi";
import { expect, test } from "vitest";
import { moduleOf } from "../script/testing/script.ts";
import { interpretRelax } from "./interpret-relax.ts";

const f32 = (...values: number[]) => tensor(Float32Array.from(values), [values.length]);

function numbers(value: Any): readonly number[] {
  return isTensor(value) ? Array.from(value.data, Number) : [];
}

const double: PackedFunction = ([x], ctx) => {
  if (!isTensor(x)) throw new TypeError("no tensor");
  const out = ctx.empty(x.dtype, x.shape);
  x.data.forEach((v, i) => (out.data[i] = (Number(v) * 2) as never));
  return out;
};

test("functions of the host are called by name, with results of their own or with destinations", () => {
  const module = moduleOf(`
@R.function(pure=False)
def main(x: R.Tensor(("n",), "float32")) -> R.Tensor(("n",), "float32"):
    n = T.int64()
    a = R.call_packed("double", x, sinfo_args=(R.Tensor((n,), "float32"),))
    b = R.call_pure_packed("double", a, sinfo_args=(R.Tensor((n,), "float32"),))
    c = R.call_dps_packed("double_into", (b,), out_sinfo=R.Tensor((n,), "float32"))
    return c
`);
  const into: PackedFunction = ([x, out]) => {
    if (isTensor(x) && isTensor(out)) x.data.forEach((v, i) => (out.data[i] = (Number(v) * 2) as never));
    return undefined;
  };
  expect(numbers(interpretRelax(module, [f32(1, 2, 3)], { functions: { double, double_into: into } }))).toEqual([8, 16, 24]);
  expect(() => interpretRelax(module, [f32(1)])).toThrow("`double`, which the host does not provide");
});

test("an object of the host goes through unseen", () => {
  const module = moduleOf(`
@R.function(pure=False)
def create() -> R.Object:
    cache = R.call_packed("cache.create", R.shape([4]), sinfo_args=(R.Object,))
    return cache

@R.function(pure=False)
def step(cache: R.Object, x: R.Tensor(("n",), "float32")) -> R.Object:
    new = R.call_packed("cache.append", cache, x, sinfo_args=(R.Object,))
    return new
`);
  class Cache {
    readonly typeKey = "test.Cache";
    length = 0;
  }
  const functions = {
    "cache.create": (): Any => new Cache(),
    "cache.append": ([cache, x]: readonly Any[]): Any => {
      if (cache instanceof Cache && isTensor(x)) cache.length += x.data.length;
      return cache;
    },
  };
  const cache = interpretRelax(module, [], { entry: "create", functions });
  interpretRelax(module, [cache, f32(1, 2)], { entry: "step", functions });
  expect((interpretRelax(module, [cache, f32(1)], { entry: "step", functions }) as Cache).length).toBe(3);
});

test("a local function sees what is around it", () => {
  const module = moduleOf(`
@R.function(pure=False)
def main(x: R.Tensor(("n",), "float32")) -> R.Tensor(("n",), "float32"):
    n = T.int64()

    @R.function(pure=False)
    def inner(y: R.Tensor((n,), "float32")) -> R.Tensor((n,), "float32"):
        z = R.call_packed("first", x, y, sinfo_args=(R.Tensor((n,), "float32"),))
        return z

    gv = inner(x)
    return gv
`);
  expect(numbers(interpretRelax(module, [f32(5)], { functions: { first: ([x]) => x } }))).toEqual([5]);
});

test("a value that is not what the program says is refused with its place", () => {
  const module = moduleOf(`
@R.function
def main(x: R.Tensor(("n",), "float32"), y: R.Tensor(("n",), "float32")) -> R.Tensor((2,), "float32"):
    z = R.match_cast(x, R.Tensor((2,), "float32"))
    return z
`);
  expect(() => interpretRelax(module, [f32(1, 2), f32(1)])).toThrow("`y`: float32[1] has 1 in dimension 0, not 2.");
  expect(() => interpretRelax(module, [f32(1), f32(1)])).toThrow("`z`: float32[1] has 1 in dimension 0, not 2.");
});
