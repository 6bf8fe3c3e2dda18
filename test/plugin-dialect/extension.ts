import type { Extension } from "@verticil/compiler";
import { passSpec } from "@verticil/ir-core";
import type { LegalizeRule, OpDef } from "@verticil/relax";
import { multiply, relu, type Tensor } from "@verticil/te";
import { constant } from "@verticil/tir";
import { lowerWave, simplifyWave } from "./passes.ts";
import { wave } from "./script.ts";

/** `wave.rectify(x, gain=2.0)`: what is above zero, louder. */
const rectify: OpDef = {
  name: "wave.rectify",
  args: ["x"],
  attrs: { gain: { type: "float", default: 1 } },
  pure: true,
  inferStructInfo(call) {
    const info = call.args[0] !== undefined && "structInfo" in call.args[0] ? call.args[0].structInfo : undefined;
    if (info?.kind !== "relax.TensorStructInfo") throw new TypeError("`wave.rectify` takes a tensor.");
    return info;
  },
};

const legalizeRectify: LegalizeRule = (call, bb) => {
  const gain = Number(call.attrs["gain"] ?? 1);
  return bb.callTe((...[x]) => multiply(relu(x as Tensor), constant(gain, "float32")), call.args, { name: "rectify" });
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
