import { expect, it } from "vitest";
import { packIntervals, shareStorages, staticPlanBlockMemory } from "./static-plan-block-memory.ts";
import { expectPass } from "./testing/expect-pass.ts";

const program = `
@T.prim_func(private=True)
def f(a: T.handle, b: T.handle):
    n = T.int64()
    A = T.match_buffer(a, (n, T.int64(4)), "float32")
    B = T.match_buffer(b, (n, T.int64(4)), "float32")
    B[0, 0] = A[0, 0]
`;
const alloc = 'R.builtin.alloc_tensor(R.shape([n, 4]), R.dtype("float32"), R.prim_value(0), R.str("global"))';
const place = (offset: number): string => `R.memory.alloc_tensor(storage, R.prim_value(${offset}), R.shape([n, 4]), R.dtype("float32"))`;
const header = `
@R.function(pure=False)
def main(x: R.Tensor(("n", 4), "float32"), c: R.Tensor((), "bool")) -> R.Tensor(("n", 4), "float32"):
    n = T.int64()`;

it("sizes with an upper bound are planned for it, and share memory when their lives do not overlap", () =>
  expectPass(
    staticPlanBlockMemory(),
    `${program}${header}
    R.func_attr({"tir_var_upper_bound": {"n": 8}})
    cls = Module
    a = ${alloc}
    cls.f(x, a)
    b = ${alloc}
    cls.f(a, b)
    d = ${alloc}
    cls.f(b, d)
    e = ${alloc}
    cls.f(d, e)
    return e
`,
    `${program}${header}
    R.func_attr({"tir_var_upper_bound": {"n": 8}})
    cls = Module
    storage = R.memory.alloc_storage(R.shape([256]), R.prim_value(0), R.str("global"), R.dtype("uint8"))
    a = ${place(0)}
    cls.f(x, a)
    b = ${place(128)}
    cls.f(a, b)
    R.memory.kill_tensor(a)
    d = ${place(0)}
    cls.f(b, d)
    R.memory.kill_tensor(b)
    e = ${alloc}
    cls.f(d, e)
    R.memory.kill_tensor(d)
    R.memory.kill_storage(storage)
    return e
`,
  ));

it("branches share memory with each other and with what only the other one needs; what the function gives keeps its own", () =>
  expectPass(
    staticPlanBlockMemory(),
    `${program}${header}
    R.func_attr({"tir_var_upper_bound": {"n": 8}})
    cls = Module
    a = ${alloc}
    cls.f(x, a)
    if c:
        t = ${alloc}
        cls.f(a, t)
        u = ${alloc}
        cls.f(t, u)
        w = u
    else:
        v = ${alloc}
        cls.f(x, v)
        z = ${alloc}
        cls.f(v, z)
        w = z
    return w
`,
    `${program}${header}
    R.func_attr({"tir_var_upper_bound": {"n": 8}})
    cls = Module
    storage = R.memory.alloc_storage(R.shape([256]), R.prim_value(0), R.str("global"), R.dtype("uint8"))
    a = ${place(0)}
    cls.f(x, a)
    if c:
        t = ${place(128)}
        cls.f(a, t)
        u = ${alloc}
        cls.f(t, u)
        R.memory.kill_tensor(t)
        w = u
    else:
        v = ${place(0)}
        cls.f(x, v)
        z = ${alloc}
        cls.f(v, z)
        R.memory.kill_tensor(v)
        w = z
    R.memory.kill_tensor(a)
    R.memory.kill_storage(storage)
    return w
`,
  ));

it("what branches give shares memory until its last use after them", () =>
  expectPass(
    staticPlanBlockMemory(),
    `${program}${header}
    R.func_attr({"tir_var_upper_bound": {"n": 8}})
    cls = Module
    if c:
        t = ${alloc}
        cls.f(x, t)
        u = ${alloc}
        cls.f(t, u)
        w = u
    else:
        v = ${alloc}
        cls.f(x, v)
        w = v
    p = ${alloc}
    cls.f(w, p)
    q = ${alloc}
    cls.f(p, q)
    e = ${alloc}
    cls.f(q, e)
    return e
`,
    `${program}${header}
    R.func_attr({"tir_var_upper_bound": {"n": 8}})
    cls = Module
    storage = R.memory.alloc_storage(R.shape([384]), R.prim_value(0), R.str("global"), R.dtype("uint8"))
    if c:
        t = ${place(0)}
        cls.f(x, t)
        u = ${place(128)}
        cls.f(t, u)
        R.memory.kill_tensor(t)
        w = u
    else:
        v = ${place(0)}
        cls.f(x, v)
        w = v
    p = ${place(256)}
    cls.f(w, p)
    q = ${place(0)}
    cls.f(p, q)
    R.memory.kill_tensor(p)
    e = ${alloc}
    cls.f(q, e)
    R.memory.kill_tensor(q)
    R.memory.kill_storage(storage)
    return e
`,
  ));

it("fields of tuples share memory until the last use of a tuple that holds them, and of what was taken from it", () =>
  expectPass(
    staticPlanBlockMemory(),
    `${program}${header}
    R.func_attr({"tir_var_upper_bound": {"n": 8}})
    cls = Module
    a = ${alloc}
    cls.f(x, a)
    b = ${alloc}
    cls.f(x, b)
    t = (a, b)
    d = t[0]
    p = ${alloc}
    cls.f(d, p)
    g = t[1]
    e = ${alloc}
    cls.f(g, e)
    return e
`,
    `${program}${header}
    R.func_attr({"tir_var_upper_bound": {"n": 8}})
    cls = Module
    storage = R.memory.alloc_storage(R.shape([384]), R.prim_value(0), R.str("global"), R.dtype("uint8"))
    a = ${place(0)}
    cls.f(x, a)
    b = ${place(128)}
    cls.f(x, b)
    t = (a, b)
    d = t[0]
    p = ${place(256)}
    cls.f(d, p)
    R.memory.kill_tensor(p)
    g = t[1]
    R.memory.kill_tensor(a)
    e = ${alloc}
    cls.f(g, e)
    R.memory.kill_tensor(b)
    R.memory.kill_storage(storage)
    return e
`,
  ));

it("what has no largest size, or is handed to a function of the host, is left alone", () => {
  const text = `${program}${header}
    R.func_attr({"tir_var_upper_bound": {"m": 8}})
    cls = Module
    a = ${alloc}
    cls.f(x, a)
    b = R.builtin.alloc_tensor(R.shape([8, 4]), R.dtype("float32"), R.prim_value(0), R.str("global"))
    R.call_packed("keep", b, sinfo_args=(R.Object,))
    return a
`;
  expectPass(staticPlanBlockMemory(), text, text);
});

const interval = (bytes: number, start: number, end: number): { readonly bytes: number; readonly start: number; readonly end: number } => ({ bytes, start, end });

it("values that are alive together get storages of their own, others share one", () => {
  const { places, bytes } = shareStorages([interval(100, 0, 2), interval(300, 1, 3), interval(200, 3, 4), interval(50, 4, 5)]);
  expect(bytes).toEqual([320, 256]);
  expect(places.map((p) => p.storage)).toEqual([1, 0, 1, 0]);
  expect(places.every((p) => p.offset === 0)).toBe(true);
});

it("packed values take no more than storages that hold one value at a time", () => {
  const values = [interval(640, 0, 2), interval(64, 1, 3), interval(320, 3, 5), interval(320, 3, 6), interval(64, 6, 7)];
  const shared = shareStorages(values).bytes.reduce((a, b) => a + b, 0);
  expect(packIntervals(values).total).toBeLessThanOrEqual(shared);
});
