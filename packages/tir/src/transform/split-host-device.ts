import { at, definePass, makePrimType, makeTupleType, withFunctions, type AttrMap, type BaseFunc, type GlobalVar, type IRModule, type Pass } from "@verticil/ir-core";
import type { Buffer } from "../ir/buffer.ts";
import type { AnyVar } from "../ir/expr.ts";
import { collectBuffers, undefinedVars } from "../ir/free-vars.ts";
import { makeCall, makeStringImm, makeVar } from "../ir/make-expr.ts";
import { makeAssertStmt, makeDeclBuffer, makeEvaluate, makeLetStmt, makePrimFunc, makeSeq } from "../ir/make-stmt.ts";
import { mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { constant, eq, intrin } from "../ir/ops.ts";
import type { PrimFunc, Stmt, TargetNode } from "../ir/stmt.ts";
import { renewDefs, substitute } from "../ir/substitute.ts";
import { visitStmt } from "../ir/visit.ts";
import { freshGlobalVar } from "./fresh-global-var.ts";
import { withBody } from "./prim-func-pass.ts";
import { deviceType, withoutHost } from "./target-attr.ts";

/**
 * Makes a function of each region with a `target` attribute, called `<function>_kernel`, and calls it in its place
 * (upstream's `SplitHostDevice`). A kernel takes what it uses: pointers first, then scalars, each by name.
 */
export function splitHostDevice(): Pass {
  return definePass("SplitHostDevice", splitModule);
}

function splitModule(module: IRModule): IRModule {
  const kernels = new Map<GlobalVar, BaseFunc>();
  const functions = new Map<GlobalVar, BaseFunc>();
  const names = new Set([...module.functions.keys()].map((gv) => gv.name));
  for (const [gv, f] of module.functions) {
    functions.set(gv, f);
    if (f.kind !== "tir.PrimFunc") continue;
    const func = f as PrimFunc;
    const symbol = func.attrs["global_symbol"];
    const name = `${typeof symbol === "string" ? symbol : gv.name}_kernel`;
    const mapper: ChildMapper = {
      expr: (e) => e,
      stmt(s) {
        if (s.kind !== "tir.AttrStmt" || s.attrKey !== "target" || s.node?.kind !== "tir.Target") return mapStmtChildren(s, mapper);
        const kernelVar = freshGlobalVar(names, name);
        const { kernel, call } = split(s.body, withoutHost((s.node as TargetNode).config), kernelVar);
        kernels.set(kernelVar, kernel);
        return call;
      },
    };
    functions.set(gv, withBody(func, mapper.stmt(func.body)));
  }
  return kernels.size === 0 ? module : withFunctions(module, new Map([...functions, ...kernels]));
}

function split(region: Stmt, target: AttrMap, kernelVar: GlobalVar): { readonly kernel: PrimFunc; readonly call: Stmt } {
  const args = undefinedVars(region).toSorted(byTypeAndName);
  // Parameters are plain variables, also where the host has the size of a dimension.
  const params = args.map((v) => (v.kind === "tir.Var" ? v : makeVar(v.name, v.dtype)));
  const inside = substitute(region, new Map(args.map((v, i) => [v, at(params, i)])));
  const status = deviceType(target) === "cpu";
  const finished = status ? makeSeq([inside, makeEvaluate(intrin("ret", "int32", [constant(0, "int32")]))]) : inside;
  const body = undeclaredBuffers(inside).reduce<Stmt>((inner, b) => makeDeclBuffer(b, inner), finished);
  const attrs = { target, "tir.noalias": true, "tir.is_global_func": true };
  const kernel = renewDefs(makePrimFunc(params, body, { attrs, retType: status ? makePrimType("int32") : makeTupleType([]) }));
  if (!status) return { kernel, call: makeEvaluate(makeCall("void", kernelVar, args)) };
  const code = makeVar("kernel_error_code", "int32");
  const check = makeAssertStmt(eq(code, constant(0, "int32")), makeStringImm("Error executing compute kernel"), makeEvaluate(constant(0, "int32")));
  return { kernel, call: makeLetStmt(code, makeCall("int32", kernelVar, args), check) };
}

function byTypeAndName(a: AnyVar, b: AnyVar): number {
  const scalar = (v: AnyVar): number => (v.dtype === "handle" ? 0 : 1);
  return scalar(a) - scalar(b) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}

/** The buffers whose memory comes from outside and that nothing in the region declares. */
function undeclaredBuffers(region: Stmt): readonly Buffer[] {
  const declared = new Set<Buffer>();
  const own = new Set<AnyVar>();
  visitStmt(region, {
    expr: () => "skip",
    stmt(s) {
      if (s.kind === "tir.DeclBuffer") declared.add(s.buffer);
      if (s.kind === "tir.Allocate" || s.kind === "tir.AllocateConst") own.add(s.bufferVar);
      return undefined;
    },
  });
  return collectBuffers(region).filter((b) => !declared.has(b) && !own.has(b.data));
}
