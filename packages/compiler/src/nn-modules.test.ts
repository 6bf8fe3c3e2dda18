import * as nn from "@verticil/relax/nn";
import { randomTensor, type Tensor } from "@verticil/runtime-ffi";
import { expect, test } from "vitest";
import { compile } from "./compile.ts";
import { interpretModel } from "./interpret-model.ts";

/** A block as image generators have it: an image of eight channels, changed by a step in time. */
class ResBlock extends nn.Module {
  readonly steps = new nn.Timesteps(7, { flipSinToCos: true });
  readonly embedding = new nn.TimestepEmbedding(7, 8);
  readonly norm = new nn.GroupNorm(2, 8);
  readonly act = new nn.SiLU();
  readonly conv = new nn.Conv2D(8, 8, 3, { padding: 1 });

  main(image: nn.Tensor, step: nn.Tensor): nn.Tensor {
    const time = this.embedding.forward(this.steps.forward(step));
    const hidden = this.conv.forward(this.act.forward(this.norm.forward(image)));
    return nn.add(nn.add(hidden, nn.unsqueeze(nn.unsqueeze(time, 2), 3)), image);
  }
}

function close(a: Tensor, b: Tensor): void {
  expect(a.shape).toEqual(b.shape);
  const [x, y] = [a.data as Float32Array, b.data as Float32Array];
  x.forEach((v, i) => expect(v).toBeCloseTo(y[i] ?? NaN, 4));
}

test("a block of an image generator gives interpreted what it gives compiled", async () => {
  const args = { image: nn.spec.tensor([1, 8, 6, 6]), step: nn.spec.tensor([1], "int32") };
  const { module } = nn.exportModule(new ResBlock(), { main: { args } });
  const executable = await compile(module, { name: "block" });
  if (executable.kind !== "static") throw new Error("internal: fixed shapes need no virtual machine");
  const model = await executable.load();
  const inputs = Object.fromEntries(model.inputs.map((v, i) => [v.name, randomTensor(v, i + 1)]));
  const [ours] = Object.values(model.runSync(inputs));
  const [expected] = Object.values(interpretModel(module, inputs));
  close(ours!, expected!);
});

test("steps in time are waves of falling frequency", async () => {
  class Steps extends nn.Module {
    main(step: nn.Tensor): nn.Tensor {
      return nn.getTimestepEmbedding(step, 6, { downscaleFreqShift: 0 });
    }
  }
  const { module } = nn.exportModule(new Steps(), { main: { args: { step: nn.spec.tensor([2], "int32") } } });
  const [waves] = Object.values(interpretModel(module, { step: { dtype: "int32", shape: [2], data: Int32Array.of(3, 40) } }));
  const expected = [3, 40].flatMap((step) => [Math.sin, Math.cos].flatMap((wave) => [0, 1, 2].map((i) => wave(step * 10_000 ** (-i / 3)))));
  [...(waves!.data as Float32Array)].forEach((v, i) => expect(v).toBeCloseTo(expected[i] ?? NaN, 5));
});
