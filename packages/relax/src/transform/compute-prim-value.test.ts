import { it } from "vitest";
import { computePrimValue } from "./compute-prim-value.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("a scalar that is computed comes from a program; a variable stays", () =>
  expectPass(
    computePrimValue(),
    `
@R.function(pure=False)
def main(x: R.Tensor(("n", 4), "float32")) -> R.Object:
    n = T.int64()
    y = R.call_packed("f", R.prim_value(n * 2), R.prim_value(n), R.prim_value(n > 4), sinfo_args=(R.Object,))
    return y
`,
    `
@T.prim_func(private=True)
def compute_symbolic_expr(n: T.int64) -> T.int64:
    T.func_attr({"tir.is_host_func": T.bool(True)})
    return n * T.int64(2)

@T.prim_func(private=True)
def compute_symbolic_expr1(n: T.int64) -> T.bool:
    T.func_attr({"tir.is_host_func": T.bool(True)})
    return n > T.int64(4)

@R.function(pure=False)
def main(x: R.Tensor(("n", 4), "float32")) -> R.Object:
    n = T.int64()
    cls = Module
    computed: R.Prim("int64") = cls.compute_symbolic_expr(R.prim_value(n))
    computed_1: R.Prim("bool") = cls.compute_symbolic_expr1(R.prim_value(n))
    y = R.call_packed("f", computed, R.prim_value(n), computed_1, sinfo_args=(R.Object,))
    return y
`,
  ));
