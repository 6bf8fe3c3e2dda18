/** A module that passes find hard, and what it is run with. */
export interface TrickyModule {
  readonly name: string;
  /** The functions, without the module around them. */
  readonly text: string;
  /** Shapes and types of what `main` takes: `[2, 3] float32`; `true` and `false` are conditions. */
  readonly args: readonly (string | boolean)[];
}

/** Well-formed modules with what upstream's passes are known to stumble over. */
export const trickyModules: readonly TrickyModule[] = [
  {
    name: "branches that allocate",
    args: [true, "[3] float32"],
    text: `
@R.function
def main(c: R.Tensor((), "bool"), x: R.Tensor((3,), "float32")) -> R.Tensor((3,), "float32"):
    a = R.exp(x)
    if c:
        b = R.add(a, x)
        d = R.negative(b)
        y = R.multiply(d, a)
    else:
        e = R.abs(x)
        y = R.add(e, a)
    z = R.add(y, a)
    return z
`,
  },
  {
    name: "branches in branches with dataflow blocks",
    args: [false, true, "[2, 2] float32"],
    text: `
@R.function
def main(c: R.Tensor((), "bool"), d: R.Tensor((), "bool"), x: R.Tensor((2, 2), "float32")) -> R.Tensor((2, 2), "float32"):
    if c:
        y = x
    else:
        if d:
            with R.dataflow():
                a = R.nn.relu(x)
                b = R.permute_dims(a)
                e = R.matmul(a, b)
                R.output(e)
            w = e
        else:
            w = R.zeros(R.shape([2, 2]), "float32")
        y = R.add(w, x)
    return y
`,
  },
  {
    name: "sizes that are computed",
    args: ["[3, 4] float32", "[4] float32"],
    text: `
@R.function
def main(x: R.Tensor(("n", "m"), "float32"), b: R.Tensor(("m",), "float32")) -> R.Tensor(("n * m", 1), "float32"):
    n = T.int64()
    m = T.int64()
    with R.dataflow():
        a = R.add(x, b)
        r = R.reshape(a, R.shape([n * m, 1]))
        e = R.exp(r)
        y = R.add(e, R.const(1.0, "float32"))
        R.output(y)
    return y
`,
  },
  {
    name: "a size that only a cast knows",
    args: ["[6] float32"],
    text: `
@R.function
def main(x: R.Tensor(ndim=1, dtype="float32")) -> R.Tensor(ndim=1, dtype="float32"):
    k = T.int64()
    with R.dataflow():
        a = R.match_cast(x, R.Tensor((k,), "float32"))
        b = R.exp(a)
        z = R.zeros(R.shape([k]), "float32")
        y = R.add(b, z)
        R.output(y)
    return y
`,
  },
  {
    name: "a shape that is passed on",
    args: ["[2, 3] float32"],
    text: `
@R.function
def main(x: R.Tensor(("n", 3), "float32")) -> R.Tensor(("n", 3), "float32"):
    n = T.int64()
    s: R.Shape([n, 3]) = R.shape([n, 3])
    t = (s, x)
    u = t[0]
    z = R.ones(u, "float32")
    w = t[1]
    y = R.add(z, w)
    return y
`,
  },
  {
    name: "a function that calls itself",
    args: ["[] int32", "[2] float32"],
    text: `
@R.function(private=True)
def grow(i: R.Tensor((), "int32"), x: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
    c = R.greater(i, R.const(0, "int32"))
    if c:
        j = R.subtract(i, R.const(1, "int32"))
        e = R.add(x, x)
        r = Module.grow(j, e)
    else:
        r = x
    return r

@R.function
def main(i: R.Tensor((), "int32"), x: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
    y = Module.grow(i, x)
    return y
`,
  },
  {
    name: "functions that call each other",
    args: ["[] int32", "[2] float32"],
    text: `
@R.function(private=True)
def even(i: R.Tensor((), "int32"), x: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
    c = R.greater(i, R.const(0, "int32"))
    if c:
        j = R.subtract(i, R.const(1, "int32"))
        r = Module.odd(j, x)
    else:
        r = x
    return r

@R.function(private=True)
def odd(i: R.Tensor((), "int32"), x: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
    c = R.greater(i, R.const(0, "int32"))
    if c:
        j = R.subtract(i, R.const(1, "int32"))
        e = R.negative(x)
        r = Module.even(j, e)
    else:
        r = R.exp(x)
    return r

@R.function
def main(i: R.Tensor((), "int32"), x: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
    y = Module.even(i, x)
    return y
`,
  },
  {
    name: "a closure over a parameter",
    args: ["[2] float32", "[2] float32"],
    text: `
@R.function
def main(x: R.Tensor((2,), "float32"), y: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
    a = R.exp(x)

    @R.function
    def inner(z: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
        b = R.add(z, a)
        d = R.multiply(b, x)
        return d

    e = inner(y)
    f = inner(e)
    return f
`,
  },
  {
    name: "a function in a function in a function",
    args: ["[2] float32"],
    text: `
@R.function
def main(x: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
    @R.function
    def outer(y: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
        @R.function
        def inner(z: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
            a = R.add(z, y)
            b = R.negative(a)
            return b

        d = inner(y)
        return d

    e = outer(x)
    return e
`,
  },
  {
    name: "tuples, empty and nested",
    args: ["[2] float32"],
    text: `
@R.function
def main(x: R.Tensor((2,), "float32")) -> R.Tuple(R.Tuple, R.Tuple(R.Tensor((2,), "float32"), R.Tuple), R.Tensor((2,), "float32")):
    with R.dataflow():
        e = R.tuple()
        a = R.exp(x)
        b = R.add(a, x)
        t = (b, e)
        u = t[0]
        d = R.negative(u)
        y = (e, t, d)
        R.output(y)
    return y
`,
  },
  {
    name: "a tuple that is a parameter",
    args: ["([2] float32, [2] float32)"],
    text: `
@R.function(private=True)
def add(t: R.Tuple(R.Tensor((2,), "float32"), R.Tensor((2,), "float32"))) -> R.Tuple(R.Tensor((2,), "float32"), R.Tensor((2,), "float32")):
    a = t[0]
    b = t[1]
    s = R.add(a, b)
    p = R.exp(a)
    y = (s, p)
    return y

@R.function
def main(t: R.Tuple(R.Tensor((2,), "float32"), R.Tensor((2,), "float32"))) -> R.Tensor((2,), "float32"):
    r = Module.add(t)
    y = r[0]
    return y
`,
  },
  {
    name: "tensors of no elements",
    args: ["[0, 3] float32", "[3, 2] float32"],
    text: `
@R.function
def main(x: R.Tensor((0, 3), "float32"), w: R.Tensor((3, 2), "float32")) -> R.Tensor((2,), "float32"):
    with R.dataflow():
        a = R.matmul(x, w)
        b = R.nn.relu(a)
        s = R.sum(b, axis=[0])
        y = R.add(s, R.const(2.0, "float32"))
        R.output(y)
    return y
`,
  },
  {
    name: "a symbolic size that is zero",
    args: ["[0] float32", "[2] float32"],
    text: `
@R.function
def main(x: R.Tensor(("n",), "float32"), w: R.Tensor((2,), "float32")) -> R.Tensor(("n + 2",), "float32"):
    n = T.int64()
    with R.dataflow():
        a = R.exp(x)
        c = R.concat((a, w), axis=0)
        y = R.negative(c)
        R.output(y)
    return y
`,
  },
  {
    name: "results that are parameters and constants, several times",
    args: ["[2] float32"],
    text: `
@R.function
def main(x: R.Tensor((2,), "float32")) -> R.Tuple(R.Tensor((2,), "float32"), R.Tensor((2,), "float32"), R.Tensor((), "float32"), R.Tensor((2,), "float32")):
    a = x
    b = R.exp(a)
    y = (x, b, R.const(1.0, "float32"), b)
    return y
`,
  },
  {
    name: "scalars of no rank, and other types",
    args: ["[] int64", "[2, 2] int8"],
    text: `
@R.function
def main(i: R.Tensor((), "int64"), q: R.Tensor((2, 2), "int8")) -> R.Tensor((2, 2), "int64"):
    with R.dataflow():
        a = R.astype(q, "int64")
        b = R.multiply(a, i)
        c = R.maximum(b, R.const(0, "int64"))
        d = R.where(R.greater(b, i), b, c)
        R.output(d)
    return d
`,
  },
  {
    name: "work whose result nobody takes",
    args: ["[2] float32"],
    text: `
@R.function(private=True)
def unused(x: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
    return x

@R.function
def main(x: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
    with R.dataflow():
        a = R.exp(x)
        b = R.exp(x)
        d = R.add(a, x)
        R.output(b)
    e = R.negative(x)
    return b
`,
  },
  {
    name: "a model with weights",
    args: ["[1, 2, 4, 4] float32", "[2, 2, 3, 3] float32", "[2] float32", "[2] float32", "[2] float32", "[2] float32"],
    text: `
@R.function
def main(x: R.Tensor((1, 2, 4, 4), "float32"), w: R.Tensor((2, 2, 3, 3), "float32"), g: R.Tensor((2,), "float32"), b: R.Tensor((2,), "float32"), m: R.Tensor((2,), "float32"), v: R.Tensor((2,), "float32")) -> R.Tensor((1, 2, 2, 2), "float32"):
    with R.dataflow():
        vv = R.abs(v)
        a = R.nn.conv2d(x, w, padding=[1, 1])
        n = R.nn.batch_norm(a, g, b, m, vv, axis=1, training=False)
        d = n[0]
        r = R.nn.relu(d)
        y = R.nn.max_pool2d(r, pool_size=[2, 2], strides=[2, 2])
        R.output(y)
    return y
`,
  },
  {
    name: "a module without graph functions",
    args: [],
    text: `
@T.prim_func
def main(A: T.Buffer((4,), "float32"), B: T.Buffer((4,), "float32")):
    for i in range(4):
        with T.block("b"):
            v = T.axis.spatial(4, i)
            B[v] = A[v]
`,
  },
];
