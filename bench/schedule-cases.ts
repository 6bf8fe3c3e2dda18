import { makeGlobalVar, makeIRModule, passContext, type IRModule } from "@verticil/ir-core";
import * as te from "@verticil/te";
import { lowerTir, Schedule, tir, type LoopRV } from "@verticil/tir";

/** What is measured: something to run by name, and how many instructions the schedule has. */
export interface ScheduleCases {
  readonly instructions: number;
  readonly cases: readonly (readonly [name: string, run: () => void])[];
}

function convolution(): IRModule {
  const x = te.placeholder([1, 56, 56, 64], "float32", "x");
  const w = te.placeholder([3, 3, 64, 64], "float32", "w");
  const y = te.relu(te.conv(x, w, { strides: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 1, dataLayout: "NHWC", kernelLayout: "HWIO" }));
  return makeIRModule(new Map([[makeGlobalVar("main"), te.createPrimFunc([x, w, y])]]));
}

function must(loop: LoopRV | undefined): LoopRV {
  if (loop === undefined) throw new Error("A loop is missing.");
  return loop;
}

/** 16 instructions with the one that finds the blocks: inlining, tiling, moving, kinds of loops, and the init. */
function schedule(module: IRModule): Schedule {
  const sch = new Schedule(module, { errorRenderLevel: "fast" });
  const [pad, conv, relu] = sch.getChildBlocks("root");
  if (pad === undefined || conv === undefined || relu === undefined) throw new Error("A block is missing.");
  sch.computeInline(pad);
  const [, h, w, c, kh, kw, k] = sch.getLoops(conv).map(must);
  const [w0, w1] = sch.split(must(w), [undefined, 4]);
  const [c0, c1, c2] = sch.split(must(c), [undefined, 2, 4]);
  sch.reorder([h, w0, c0, kh, kw, k, w1, c1, c2].map(must));
  sch.reverseComputeAt(relu, must(c0));
  const inner = sch.getLoops(relu);
  sch.vectorize(must(inner.at(-1)));
  sch.unroll(must(w1));
  sch.unroll(must(c1));
  sch.vectorize(must(c2));
  sch.annotate(must(k), "pragma_note", 1);
  sch.parallel(must(h));
  sch.decomposeReduction(conv, must(kh));
  return sch;
}

/** Scheduling a conv2d, lowering it, and both. */
export function scheduleCases(): ScheduleCases {
  const module = convolution();
  const ctx = passContext({ dialects: [tir] });
  const scheduled = schedule(module);
  return {
    instructions: scheduled.trace.insts.length,
    cases: [
      ["schedule", () => void schedule(module)],
      ["lower", () => void lowerTir().run(scheduled.mod, ctx)],
      ["schedule and lower", () => void lowerTir().run(schedule(module).mod, ctx)],
    ],
  };
}
