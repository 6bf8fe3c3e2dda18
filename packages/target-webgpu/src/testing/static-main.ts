import { makeGlobalVar, makeIRModule, passContext, irDialect, type IRModule, type Pass, type WebgpuTarget } from "@verticil/ir-core";
import { dtypeBytes } from "@verticil/runtime-ffi";
import { asInt, constant, intrinOp, lowerGpuTir, makeCall, makeEvaluate, makePrimFunc, makeVar, tir, type PrimExpr, type PrimFunc } from "@verticil/tir";

/**
 * A static program around one function, as the graph's passes would write it: every parameter in a block of its own, the
 * last one the output, its scratch memory beside them. `same` gives two parameters one place.
 */
export function staticMain(func: PrimFunc, opts: { readonly target?: WebgpuTarget; readonly schedule?: Pass; readonly same?: readonly [number, number] } = {}): IRModule {
  const target: WebgpuTarget = opts.target ?? { kind: "webgpu", features: [], limits: {} };
  const kernel = makeGlobalVar("kernel");
  const ctx = passContext({ target, dialects: [irDialect, tir] });
  const scheduled = opts.schedule?.run(makeIRModule(new Map([[kernel, func]])), ctx) ?? makeIRModule(new Map([[kernel, func]]));
  const lowered = lowerGpuTir().run(scheduled, ctx);
  const body = lowered.functions.get(kernel) as PrimFunc;
  const arena = makeVar("arena", "handle");
  const params = makeVar("params", "handle");
  const blocks: number[] = [];
  let end = 0;
  const place = (bytes: number): PrimExpr => {
    const offset = end;
    blocks.push(offset);
    end += Math.ceil(Math.max(1, bytes) / 64) * 64;
    return makeCall("handle", intrinOp("handle_add_byte_offset"), [arena, constant(offset, "int32")]);
  };
  const args: PrimExpr[] = [];
  for (const [i, p] of body.params.entries()) {
    const shared = opts.same?.[1] === i ? args[opts.same[0]] : undefined;
    const buffer = body.bufferMap.get(p);
    const size = body.attrs["WorkspaceSize"];
    const bytes = buffer === undefined ? Number((size as { value?: unknown } | undefined)?.value ?? 0) : buffer.shape.reduce((n, d) => n * (asInt(d) ?? 0), dtypeBytes(buffer.dtype));
    args.push(shared ?? place(bytes));
  }
  const attrs = { inputs: [], outputs: [], constants: [], arena_blocks: blocks, arena_bytes: end, params_bytes: 0, global_symbol: "main" };
  const main = makePrimFunc([arena, params], makeEvaluate(makeCall("void", kernel, args)), { attrs });
  return makeIRModule(new Map([[makeGlobalVar("main"), main], [kernel, body]]));
}
