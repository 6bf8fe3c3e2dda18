import { parse } from "@verticil/tvmscript";
import { isTensor, readSafetensors, tensor, tensorFrom, zeros, type Any, type Functions, type OwnedTensor, type Tensor } from "@verticil/runtime-ffi";
import { loadVmModel, type VirtualMachine, type VmModel } from "@verticil/runtime-ffi/vm";
import { interpretRelax, legalizeOps } from "@verticil/relax";
import { defaultWasmTarget } from "@verticil/ir-core";
import { describe, expect, test } from "vitest";
import { compile, type VmExecutableModel } from "./compile.ts";
import { compileContext, scriptDialects } from "./compile-context.ts";

const f32 = (...values: number[]): Tensor => tensor(Float32Array.from(values), [values.length]);

function moduleOf(body: string): ReturnType<typeof parse> {
  return parse(`@I.ir_module\nclass Module:\n${body.replace(/^\n/, "").replace(/^(?=.)/gm, "    ")}`, { dialects: scriptDialects });
}

async function vmOf(body: string): Promise<VmExecutableModel> {
  const executable = await compile(moduleOf(body), { name: "program" });
  if (executable.kind !== "vm") throw new Error("This program needs no virtual machine.");
  return executable;
}

function numbers(value: Any): readonly number[] {
  return isTensor(value) ? Array.from(value.data as ArrayLike<number>, Number) : [];
}

/** The bytes that a machine holds between calls: constants. A call must leave them as they were. */
function callCleanly(vm: VirtualMachine, entry: string, ...args: readonly Any[]): Any {
  const before = vm.memory.usedBytes;
  const result = vm.invoke(entry, ...args);
  expect(vm.memory.usedBytes).toBe(before);
  return result;
}

const chain = (layers: number, attrs: string): string => `
@R.function
def main(x: R.Tensor(("n", 64), "float32")) -> R.Tensor(("n", 64), "float32"):
    n = T.int64()
    ${attrs}
    with R.dataflow():
        v0 = R.nn.softmax(x, axis=-1)
${Array.from({ length: layers }, (_, i) => `        v${i + 1} = R.nn.softmax(v${i}, axis=-1)`).join("\n")}
        R.output(v${layers})
    return v${layers}
`;

describe.each(["bytecode", "compiled"] as const)("%s", (execMode) => {
  async function load(body: string, functions: Functions = {}): Promise<VmModel> {
    const executable = await compile(moduleOf(body), { name: "program", execMode });
    if (executable.kind !== "vm") throw new Error("This program needs no virtual machine.");
    const model = await executable.load({ functions });
    return model;
  }

test("a condition decides at run time, and both ways give what they should", async () => {
  const { vm } = await load(`
@R.function
def main(c: R.Tensor((), "bool"), x: R.Tensor(("n",), "float32")) -> R.Tensor(("n",), "float32"):
    n = T.int64()
    if c:
        a = R.add(x, x)
        b = R.multiply(a, R.const(3, "float32"))
        y = b
    else:
        d = R.negative(x)
        y = d
    z = R.add(y, R.const(1, "float32"))
    return z
`);
  const flag = (b: boolean): Tensor => tensorFrom([b ? 1 : 0], [], "bool");
  expect(numbers(callCleanly(vm, "main", flag(true), f32(1, 2)))).toEqual([7, 13]);
  expect(numbers(callCleanly(vm, "main", flag(false), f32(1, 2, 3)))).toEqual([0, -1, -2]);
});

test("a function calls itself", async () => {
  const { vm } = await load(`
@R.function
def power(x: R.Tensor(("n",), "float32"), k: R.Tensor((), "int32")) -> R.Tensor(("n",), "float32"):
    n = T.int64()
    cls = Module
    stop = R.less_equal(k, R.const(1, "int32"))
    if stop:
        y = x
    else:
        less = R.subtract(k, R.const(1, "int32"))
        rest = cls.power(x, less)
        y = R.multiply(x, rest)
    return y

@R.function
def main(x: R.Tensor(("n",), "float32")) -> R.Tensor(("n",), "float32"):
    n = T.int64()
    cls = Module
    y = cls.power(x, R.const(5, "int32"))
    return y
`);
  expect(numbers(callCleanly(vm, "main", f32(2, 3)))).toEqual([32, 243]);
  expect(numbers(callCleanly(vm, "power", f32(2), tensorFrom([3], [], "int32")))).toEqual([8]);
});

test("programs are called for a result of their own, over an argument, with sizes, and with a gradient that nobody asks for", async () => {
  const { vm } = await load(
    `
@T.prim_func(private=True)
def twice(a: T.handle, b: T.handle):
    n = T.int64()
    A = T.match_buffer(a, (n,), "float32")
    B = T.match_buffer(b, (n,), "float32")
    for i in range(n):
        with T.block("twice"):
            v = T.axis.spatial(n, i)
            B[v] = A[v] * T.float32(2)

@T.prim_func(private=True)
def negate(a: T.handle):
    n = T.int64()
    A = T.match_buffer(a, (n,), "float32")
    for i in range(n):
        with T.block("negate"):
            v = T.axis.spatial(n, i)
            A[v] = T.float32(0) - A[v]

@T.prim_func(private=True)
def plus(a: T.handle, b: T.handle, k: T.int64):
    n = T.int64()
    A = T.match_buffer(a, (n,), "float32")
    B = T.match_buffer(b, (n,), "float32")
    for i in range(n):
        with T.block("plus"):
            v = T.axis.spatial(n, i)
            B[v] = A[v] + T.Cast("float32", k)

@R.function(pure=False)
def main(x: R.Tensor(("n",), "float32")) -> R.Tensor(("n",), "float32"):
    n = T.int64()
    cls = Module
    a = R.call_tir(cls.twice, (x,), out_sinfo=R.Tensor((n,), "float32"))
    b = R.call_tir_inplace(cls.negate, (a,), inplace_indices=[0], out_sinfo=R.Tensor((n,), "float32"))
    c = R.call_tir(cls.plus, (b,), out_sinfo=R.Tensor((n,), "float32"), tir_vars=R.shape([n * n]))
    d = R.call_tir_with_grad(cls.twice, (c,), out_sinfo=R.Tensor((n,), "float32"), te_grad_name="twice_grad")
    e = R.call_dps_packed("double_into", (d,), out_sinfo=R.Tensor((n,), "float32"))
    f = R.call_inplace_packed("negate_at", e, inplace_indices=[0], sinfo_args=(R.Tensor((n,), "float32"),))
    return f
`,
    {
      double_into: ([x, out]) => {
        if (isTensor(x) && isTensor(out)) x.data.forEach((v, i) => (out.data[i] = (Number(v) * 2) as never));
        return undefined;
      },
      negate_at: ([x]) => {
        if (isTensor(x)) x.data.forEach((v, i) => (x.data[i] = -Number(v) as never));
        return x;
      },
    },
  );
  const input = f32(1, 5, 7);
  // -2 * 2 * (n² - 2x)
  expect(numbers(callCleanly(vm, "main", input))).toEqual([-28, 4, 20]);
  expect(numbers(input)).toEqual([1, 5, 7]);
});

test("an integer that no double holds reaches the host as it is", async () => {
  const { vm } = await load(
    `
@R.function(pure=False)
def main(x: R.Tensor(("n",), "float32")) -> R.Object:
    y = R.call_packed("keep", R.prim_value(T.int64(9007199254740993)), x, sinfo_args=(R.Object,))
    return y
`,
    { keep: ([k]) => String(k) },
  );
  expect(vm.invoke("main", f32(1))).toBe("9007199254740993");
});

test("a closure holds what it was made with, and the host may call it", async () => {
  const { vm } = await load(
    `
@R.function(pure=False)
def main(x: R.Tensor(("n",), "float32"), y: R.Tensor(("n",), "float32")) -> R.Tensor(("n",), "float32"):
    n = T.int64()
    @R.function
    def inner(z: R.Tensor((n,), "float32")) -> R.Tensor((n,), "float32"):
        w = R.add(y, z)
        return w
    a = inner(x)
    b = R.call_packed("twice", inner, a, sinfo_args=(R.Tensor((n,), "float32"),))
    return b
`,
    { twice: ([f, x], ctx) => (typeof f === "function" ? ctx.call(f, [ctx.call(f, [x])]) : undefined) },
  );
  expect(numbers(callCleanly(vm, "main", f32(1, 2), f32(10, 20)))).toEqual([31, 62]);
});

test("several entries share constants and an object of the host, whose memory kernels read", async () => {
  class Cache {
    readonly typeKey = "test.Cache";
    readonly rows: OwnedTensor;
    length = 0;
    constructor(rows: OwnedTensor) {
      this.rows = rows;
    }
    dispose(): void {
      this.rows.dispose();
    }
  }
  const functions: Functions = {
    "cache.create": ([shape], ctx) => new Cache(ctx.own("float32", typeof shape === "object" && "shape" in shape ? shape.shape : [])),
    "cache.append": ([cache, x]) => {
      if (!(cache instanceof Cache) || !isTensor(x)) throw new TypeError("no cache");
      cache.rows.data.set(x.data as never, cache.length * 2);
      cache.length += x.shape[0] ?? 0;
      return cache;
    },
    "cache.view": ([cache], ctx) => (cache instanceof Cache ? ctx.view(cache.rows, [cache.length, 2]) : undefined),
  };
  const { vm } = await load(
    `
@R.function(pure=False)
def create() -> R.Object:
    cache = R.call_packed("cache.create", R.shape([8, 2]), sinfo_args=(R.Object,))
    return cache

@R.function(pure=False)
def step(cache: R.Object, x: R.Tensor(("n", 2), "float32"), total: R.Shape(["m"])) -> R.Tensor((2,), "float32"):
    n = T.int64()
    m = T.int64()
    scaled = R.multiply(x, R.const(2, "float32"))
    next = R.call_packed("cache.append", cache, scaled, sinfo_args=(R.Object,))
    rows = R.call_packed("cache.view", next, sinfo_args=(R.Tensor((m, 2), "float32"),))
    y = R.sum(rows, axis=[0])
    return y
`,
    functions,
  );
  expect(vm.entries.map((e) => e.name)).toEqual(["create", "step"]);
  const cache = vm.invoke("create");
  const row = (...v: number[]): Tensor => tensor(Float32Array.from(v), [v.length / 2, 2]);
  expect(numbers(callCleanly(vm, "step", cache, row(1, 2, 3, 4), { isShape: true, shape: [2] }))).toEqual([8, 12]);
  expect(numbers(callCleanly(vm, "step", cache, row(10, 20), { isShape: true, shape: [3] }))).toEqual([28, 52]);
  expect(() => vm.invoke("step", cache, row(1, 1), { isShape: true, shape: [9] })).toThrow("result of `cache.view` of `R.Tensor((m, 2), dtype=\"float32\")`: float32[4, 2] in dimension 0 is 4, not 9.");
  const held = vm.memory.usedBytes;
  (cache as Cache).dispose();
  expect(vm.memory.usedBytes).toBeLessThan(held);
});

test("arguments and casts that do not fit are refused with their place, and leave no memory behind", async () => {
  const { vm } = await load(`
@R.function
def main(x: R.Tensor(("n", "n * 2"), "float32"), y: R.Tensor(("n",), "float32")) -> R.Tensor((2,), "float32"):
    n = T.int64()
    z = R.match_cast(y, R.Tensor((2,), "float32"))
    a = R.add(z, z)
    return a
`);
  const used = vm.memory.usedBytes;
  const x = (n: number, m: number): Tensor => zeros("float32", [n, m]);
  expect(numbers(vm.invoke("main", x(2, 4), f32(1, 2)))).toEqual([2, 4]);
  expect(() => vm.invoke("main", x(2, 4), f32(1))).toThrow('`main`, argument `y` of `R.Tensor((n,), dtype="float32")`: float32[1] in dimension 0 is 1, not 2.');
  expect(() => vm.invoke("main", x(3, 4), f32(1, 2, 3))).toThrow("float32[3, 4] in dimension 1 is 4, not 6.");
  expect(() => vm.invoke("main", x(3, 6), f32(1, 2, 3))).toThrow("match_cast `z`");
  expect(() => vm.invoke("main", zeros("float32", [2]), f32(1))).toThrow("has 1 dimensions, not 2.");
  expect(() => vm.invoke("main", zeros("int32", [2, 4]), f32(1, 2))).toThrow("is not of float32.");
  expect(vm.memory.usedBytes).toBe(used);
});

test("the most memory that is in use does not grow with the length of the program", async () => {
  const peak = async (layers: number): Promise<number> => {
    const { vm } = await load(chain(layers, ""));
    vm.memory.resetPeak();
    vm.invoke("main", zeros("float32", [1000, 64]));
    return vm.memory.peakBytes - vm.memory.usedBytes;
  };
  const [short, long] = [await peak(2), await peak(12)];
  const tensorBytes = 1000 * 64 * 4;
  expect(long).toBe(short);
  // The input, what one kernel reads and writes, and its scratch memory of the same size.
  expect(short).toBeLessThan(4.2 * tensorBytes);
});

test("with an upper bound memory is planned once: what a call takes depends on the bound, not on the input", async () => {
  const { vm } = await load(chain(6, 'R.func_attr({"tir_var_upper_bound": {"n": 100}})'));
  const peakAt = (n: number): number => {
    vm.memory.resetPeak();
    callCleanly(vm, "main", zeros("float32", [n, 64]));
    // The argument and the result are as large as they are.
    return vm.memory.peakBytes - 2 * n * 64 * 4;
  };
  expect(Math.abs(peakAt(2) - peakAt(100))).toBeLessThan(512);
});

test("the same module gives the same bytes, and damaged bytecode is refused", async () => {
  const [a, b] = [await compile(moduleOf(chain(1, ""))), await compile(moduleOf(chain(1, "")))];
  for (const [name, content] of a.files) expect(b.files.get(name), name).toEqual(content);
  const bytes = (suffix: string): Uint8Array => {
    const content = [...a.files].find(([name]) => name.endsWith(suffix))?.[1];
    return content instanceof Uint8Array ? content : new Uint8Array();
  };
  const program = bytes(".vm").slice();
  program[program.length >> 1] = (program[program.length >> 1] ?? 0) ^ 255;
  await expect(loadVmModel({ manifest: a.manifest, wasm: bytes(".wasm"), weights: bytes(".safetensors"), program })).rejects.toThrow("`model.vm` is damaged");
});

test("the interpreter and the machine agree where sizes are computed from others", async () => {
  const text = `
@R.function
def main(x: R.Tensor(("n", "m"), "float32")) -> R.Tensor(("m", "n"), "float32"):
    n = T.int64()
    m = T.int64()
    with R.dataflow():
        a = R.permute_dims(x)
        b = R.matmul(a, x)
        c = R.concat((b, a), axis=1)
        d = R.reshape(c, R.shape([m * (m + n)]))
        e = R.strided_slice(d, (0,), (0,), (m * n,))
        f = R.reshape(e, R.shape([m, n]))
        g = R.mean(f, axis=[1], keepdims=True)
        h = R.add(f, g)
        R.output(h)
    return h
`;
  const { vm } = await load(text);
  const legal = legalizeOps().run(moduleOf(text), compileContext({ target: defaultWasmTarget }));
  for (const [n, m] of [[1, 1], [3, 2], [2, 5], [0, 4]] as const) {
    const x = tensorFrom(Array.from({ length: n * m }, (_, i) => Math.sin(i)), [n, m], "float32");
    const [actual, expected] = [callCleanly(vm, "main", x), interpretRelax(legal, [x])];
    if (!isTensor(actual) || !isTensor(expected)) throw new Error("no tensors");
    expect(actual.shape).toEqual(expected.shape);
    numbers(actual).forEach((v, i) => expect(v).toBeCloseTo(numbers(expected)[i] ?? NaN, 5));
  }
});

test("a size beyond the bound that memory was planned for is refused", async () => {
  const { vm } = await load(chain(3, 'R.func_attr({"tir_var_upper_bound": {"n": 10}})'));
  const used = vm.memory.usedBytes;
  expect(() => vm.invoke("main", zeros("float32", [11, 64]))).toThrow("float32[11, 64] is larger than the upper bounds that the program was compiled with allow.");
  expect(vm.memory.usedBytes).toBe(used);
});

test("a function of the host writes into what it is handed", async () => {
  const { vm } = await load(
    `
@R.function(pure=False)
def main(x: R.Tensor(("n",), "float32")) -> R.Tensor(("n",), "float32"):
    n = T.int64()
    y = R.call_dps_packed("double_into", (x,), out_sinfo=R.Tensor((n,), "float32"))
    z = R.add(y, y)
    return z
`,
    {
      double_into: ([x, out]) => {
        if (isTensor(x) && isTensor(out)) x.data.forEach((v, i) => (out.data[i] = (Number(v) * 2) as never));
        return undefined;
      },
    },
  );
  expect(numbers(callCleanly(vm, "main", f32(1, 2, 3)))).toEqual([4, 8, 12]);
});
});

test("a compiled program comes as a module that its loader imports, beside the bytecode", async () => {
  const { files, manifest } = await compile(moduleOf(chain(1, "")), { name: "program", execMode: "compiled" });
  expect([...files.keys()]).toEqual(expect.arrayContaining(["program.vm", "program.vm.js"]));
  expect(manifest.files).toMatchObject({ compiled: { path: "program.vm.js" } });
  const loader = String(files.get("program.js"));
  expect(loader).toContain('import { functions as compiled } from "./program.vm.js";');
  expect(loader).toContain("{ compiled, ...options }");
});

test("constants of a program lie in a file of weights by name, and the bytecode names them", async () => {
  const { files, program, ...executable } = await vmOf(`
@R.function
def main(x: R.Tensor(("n", 3), "float32")) -> R.Tensor(("n", 3), "float32"):
    n = T.int64()
    y = R.add(x, R.const([1.5, -2.0, 7.0], "float32"))
    return y
`);
  const weights = files.get(executable.manifest.files.weights.path);
  const { tensors } = readSafetensors(weights instanceof Uint8Array ? weights : new Uint8Array());
  const names = program.constants.flatMap((c) => (c.kind === "tensor" ? [c.name] : []));
  expect([...tensors.keys()]).toEqual(names);
  expect([...tensors.values()].map((t) => numbers(t))).toContainEqual([1.5, -2, 7]);
  const { vm } = await executable.load();
  expect(numbers(vm.invoke("main", tensor(Float32Array.of(1, 1, 1), [1, 3])))).toEqual([2.5, -1, 8]);
});
