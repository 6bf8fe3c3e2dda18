import type { Extension } from "@verticil/compiler";
import { passSpec } from "@verticil/ir-core";
import { floatAttr, tensorArg, type LegalizeRule, type OpDef } from "@verticil/relax";
import { multiply, relu } from "@verticil/te";
import { constant } from "@verticil/tir";
import { lowerWave, simplifyWave } from "./passes.ts";
import { wave } from "./script.ts";

/** `wave.rectify(x, gain=2.0)`: what is above zero, louder. */
const rectify: OpDef = {
  name: "wave.rectify",
  args: ["x"],
  attrs: { gain: { type: "float", default: 1 } },
  pure: true,
  inferStructInfo: (call) => tensorArg(call, 0),
};

const legalizeRectify: LegalizeRule = (call, bb) => {
  const gain = constant(floatAttr(call, "gain"), "float32");
  return bb.callTe((x) => multiply(relu(x), gain), call.args, { name: "rectify" });
};

/** Everything of the dialect that the compiler is to know. */
export const waveExtension: Extension = {
  dialects: [wave],
  ops: [rectify],
  legalize: new Map([["wave.rectify", legalizeRectify]]),
  lowering: [simplifyWave(), lowerWave()],
  passes: [
    passSpec("SimplifyWave", "Merges factors.", {}, simplifyWave),
    passSpec("LowerWave", "Makes tensor programs of filters.", {}, lowerWave),
  ],
};
