import { it } from "vitest";
import { lowerAllocTensor } from "./lower-alloc-tensor.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("a tensor gets a storage of its bytes, whatever its size is called", () =>
  expectPass(
    lowerAllocTensor(),
    `
@R.function(pure=False)
def main(x: R.Tensor(("n", 4), "float16")) -> R.Tensor(("n", 4), "float16"):
    n = T.int64()
    y = R.builtin.alloc_tensor(R.shape([n, 4]), R.dtype("float16"), R.prim_value(0), R.str("global"))
    return y
`,
    `
@R.function(pure=False)
def main(x: R.Tensor(("n", 4), "float16")) -> R.Tensor(("n", 4), "float16"):
    n = T.int64()
    storage = R.memory.alloc_storage(R.shape([n * 8]), R.prim_value(0), R.str("global"), R.dtype("float16"))
    y = R.memory.alloc_tensor(storage, R.prim_value(0), R.shape([n, 4]), R.dtype("float16"))
    return y
`,
  ));
