import { definePass, makeOp, type Pass } from "@verticil/ir-core";
import { BlockBuilder, floatAttr, isCallTo, makeCall, opRegistryKey, rewriteModule } from "@verticil/relax";

/**
 * Pre-emphasis in front of a spectrum becomes an attribute of the spectrum: both are linear in the signal, so that its
 * table can do the work of both and the signal is read once.
 */
export function foldPreemphasis(): Pass {
  return definePass("FoldPreemphasis", (module, ctx) =>
    rewriteModule(
      module,
      () => new BlockBuilder({ ops: ctx.get(opRegistryKey), module }),
      () => (value, { value: boundTo }) => {
        if (!isCallTo(value, "kws.power_spectrum") || floatAttr(value, "preemphasis") !== 0) return undefined;
        const [signal] = value.args;
        const emphasised = signal && boundTo(signal);
        if (emphasised === undefined || !isCallTo(emphasised, "kws.preemphasis")) return undefined;
        const attrs = { ...value.attrs, preemphasis: floatAttr(emphasised, "coefficient") };
        return makeCall(makeOp("kws.power_spectrum"), emphasised.args, { attrs, span: value.span });
      },
    ),
  );
}
