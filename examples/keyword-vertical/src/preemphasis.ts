import { floatAttr, tensorArg, type LegalizeRule, type OpDef } from "@verticil/relax";
import { compute } from "@verticil/te";
import { constant, gt, ifThenElse, mul, sub } from "@verticil/tir";
import { checkSignal } from "./check-signal.ts";

/** `kws.preemphasis(pcm, coefficient=0.97)`: each sample less a part of the one before it, which lifts high tones. */
export const preemphasis: OpDef = {
  name: "kws.preemphasis",
  args: ["pcm"],
  attrs: { coefficient: { type: "float", default: 0.97 } },
  pure: true,
  inferStructInfo(call) {
    checkSignal(call);
    return tensorArg(call, 0);
  },
};

/** Its tensor program; before the first sample there is silence. */
export const legalizePreemphasis: LegalizeRule = (call, bb) => {
  const a = constant(floatAttr(call, "coefficient"), "float32");
  return bb.callTe(
    (pcm) =>
      compute(pcm.shape, (t) => {
        const before = ifThenElse(gt(t, 0), pcm.at(sub(t, 1)), constant(0, "float32"));
        return sub(pcm.at(t), mul(a, before));
      }, "emphasised"),
    call.args,
    { name: "preemphasis" },
  );
};
