import { parse } from "@verticil/tvmscript";
import { expect, test } from "vitest";
import { scriptDialects } from "./compile-context.ts";
import { profileKernels } from "./profile-kernels.ts";

const program = `
@I.ir_module
class Module:
    @R.function
    def main(x: R.Tensor((4, 8), "float32"), w: R.Tensor((8, 16), "float32")) -> R.Tensor((4, 16), "float32"):
        with R.dataflow():
            y = R.matmul(x, w)
            z = R.nn.relu(y)
            R.output(z)
        return z
`;

const openProgram = program.replaceAll("(4, ", '("n", ');

/** A clock that goes on by a millisecond whenever it is read. */
function steps(): () => number {
  let now = 0;
  return () => now++;
}

test("a kernel has its calls, its time, its arithmetic and its operands' bytes", async () => {
  const kernels = await profileKernels(parse(program, { dialects: scriptDialects }), { runs: 2, now: steps() });
  // 4·16·8 multiplications and as many sums, and a maximum for each of 64 results.
  expect(kernels).toEqual([{ name: expect.stringMatching(/matmul.*relu/), calls: 1, milliseconds: 1, flops: 2 * 4 * 16 * 8 + 64, bytes: 4 * (4 * 8 + 8 * 16 + 4 * 16) }]);
});

test("a model of open shapes is refused", async () => {
  await expect(profileKernels(parse(openProgram, { dialects: scriptDialects }))).rejects.toThrow("Fix its sizes");
});
