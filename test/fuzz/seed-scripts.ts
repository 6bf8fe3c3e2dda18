/** Valid programs that edits start from; together they use most of the syntax of `I.`, `T.` and `R.`. */
export const seedScripts: readonly string[] = [
  `# from tvm.script import ir as I
# from tvm.script import tir as T
@I.ir_module
class Module:
    I.module_attrs({"a": 1, "b": [True, None, "x"]})
    I.module_global_infos({"vdevice": [I.vdevice({"kind": "llvm"}, 0, "global")]})
    @T.prim_func
    def main(a: T.handle, B: T.Buffer((128,), "float32"), n: T.int64):
        T.func_attr({"tir.noalias": T.bool(True)})
        m = T.int32()
        A = T.match_buffer(a, (m, 128), strides=("s", 1), offset_factor=1, align=16)
        for i, j in T.grid(m, 128):
            with T.block("sum"):
                vi, vj = T.axis.remap("SR", [i, j])
                T.where(i * 128 + j < 100)
                T.reads(A[vi, vj])
                T.writes(B[vj])
                T.block_attr({"k": 1})
                with T.init():
                    B[vj] = T.float32(0.0)
                B[vj] = B[vj] + A[vi, vj] * T.float32(0.5)
    @T.prim_func(private=True)
    def helper(x: T.int32) -> T.int32:
        return x + 1
`,
  `from tvm.script import tir as T
@T.prim_func
def f(A: T.Buffer((64, 64), "float32"), C: T.Buffer((64,), "int8")):
    x: T.int32 = 5
    with T.LetStmt(x * 2) as y:
        T.evaluate(y)
    with T.allocate([16], "float32", "local") as p:
        buf = T.Buffer((16,), data=p, scope="local")
        buf[0:4] = T.Broadcast(T.float32(1), 4)
        buf[T.Ramp(0, 1, 4)] = buf[4:8]
    ty = T.env_thread("threadIdx.y")
    with T.launch_thread(ty, 8):
        A[ty, 0] = T.exp(A[ty, 1])
    T.attr(0, "pragma", 1)
    assert x > 0, "message"
    B = T.decl_buffer((4, 4), data=A.data)
    for i in T.thread_binding(4, thread="blockIdx.x"):
        for j in T.serial(2, annotations={"a": "b"}):
            if i == j and not x < 3 or x != 4:
                B[i, j] = T.if_then_else(i < 2, A[i, j], T.max(A[0, 0], T.float32("inf")))
            elif x == 2:
                B[i, j] = T.Cast("float32", T.bitwise_and(i, 3))
            else:
                T.call_extern("int32", "f", B.data, T.address_of(A[0, 0]))
    while x < 10:
        T.evaluate(T.call_packed("g", x, T.int64(1)))
    c = T.allocate_const([1, 2, 3], "int32", [3])
    T.evaluate(c)
`,
  `from tvm.script import ir as I, tir as T, relax as R
@I.ir_module
class M:
    @T.prim_func
    def add(X: T.Buffer((T.int64(2), T.int64(3)), "float32"), Y: T.Buffer((T.int64(2), T.int64(3)), "float32")):
        for i, j in T.grid(T.int64(2), T.int64(3)):
            with T.block("add"):
                vi, vj = T.axis.remap("SS", [i, j])
                Y[vi, vj] = X[vi, vj] + T.float32(1)
    @R.function
    def main(x: R.Tensor((2, 3), dtype="float32"), s: R.Shape(["n"])) -> R.Tensor((2, 3), dtype="float32"):
        n = T.int64()
        cls = M
        with R.dataflow():
            lv = R.call_tir(cls.add, (x,), out_sinfo=R.Tensor((2, 3), dtype="float32"))
            lv1: R.Tensor((2, 3), dtype="float32") = R.nn.relu(lv)
            gv = R.add(lv1, R.const(1.0, "float32"))
            R.output(gv)
        return gv
    @R.function(private=True)
    def sub(c: R.Prim("bool"), t: R.Tuple(R.Tensor, R.Object)) -> R.Tensor:
        if c:
            w = t[0]
        else:
            w = R.match_cast(t[0], R.Tensor((2,), "float32"))
        return w
`,
  `from tvm.script import ir as I, tir as T, relax as R
metadata = tvm.ir.load_json("""{\\"root\\": 1, \\"nodes\\": [{\\"type_key\\": \\"\\"}, {\\"type_key\\": \\"Map\\", \\"keys\\": [\\"relax.expr.Constant\\"], \\"data\\": [2]}, {\\"type_key\\": \\"Array\\", \\"data\\": [3]}, {\\"type_key\\": \\"relax.expr.Constant\\", \\"attrs\\": {\\"data\\": \\"0\\", \\"span\\": \\"0\\"}}], \\"b64ndarrays\\": [\\"P6G0lvBAXt0AAAAAAAAAAAEAAAAAAAAAAQAAAAIgAQACAAAAAAAAAAgAAAAAAAAAAACAPwAAAEA=\\"]}""")
N, dtype = 4 * 4, "float32"
@T.macro
def scale(A, i, *rest, by=2, **more):
    A[i] = A[i] * T.Cast("float32", by)
@T.macro(hygienic=False)
def fill(value):
    B[0:T.vscale() * 4] = T.Broadcast(T.float32(value), T.vscale() * 4)
@R.macro
def twice(x):
    y = R.add(x, x)
    return y
@T.prim_func
def f(A: T.Buffer((N,), dtype), B: T.Buffer((N,), dtype)):
    for i in range(N):
        scale(A, i, 1, by=3, k=A)
    fill(1.5)
    A.vstore([T.Ramp(0, 1, T.vscale() * 4)], B.vload([T.Ramp(0, 1, T.vscale() * 4)]), predicate=T.get_active_lane_mask("uint1xvscalex4", 0, 13))
@R.function
def g(x: R.Tensor((2,), dtype="float32")) -> R.Tensor((2,), dtype="float32"):
    y = twice(R.add(x, metadata["relax.expr.Constant"][0]))
    return y
`,
];
