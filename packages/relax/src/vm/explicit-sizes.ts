import { definePass, mapFunctions, withAttrs, type Pass } from "@verticil/ir-core";
import {
  cast,
  makeVar,
  mapBuffer,
  mapExprChildren,
  mapStmtChildren,
  undefinedVars,
  type AnyVar,
  type Buffer,
  type ChildMapper,
  type PrimExpr,
  type PrimFunc,
  type Stmt,
  type Var,
} from "@verticil/tir";

/** The attribute that says where the sizes come from that follow a program's own parameters: `[[argument, axis], …]`. */
export const sizesAttr = "vm.sizes";

/**
 * Gives tensor programs the symbolic sizes of their buffers as parameters, of type int32, after the others: compiled
 * code gets addresses, which say nothing of shapes. Ours; upstream unpacks them from the tensors in `MakePackedAPI`.
 * @throws TypeError for a program that uses a size which neither its buffers nor its parameters have.
 */
export function explicitSizes(): Pass {
  return definePass("ExplicitSizes", (module) =>
    mapFunctions(module, (func, gv) => {
      if (func.kind !== "tir.PrimFunc") return func;
      const sized = withSizes(func as PrimFunc);
      const [free] = undefinedVars(sized);
      if (free !== undefined) throw new TypeError(`\`${gv.name}\` uses \`${free.name}\`, which none of its parameters gives. Hand it over by \`tir_vars\`.`);
      return sized;
    }),
  );
}

function withSizes(func: PrimFunc): PrimFunc {
  const given = new Set<AnyVar>(func.params);
  const sizes = new Map<AnyVar, readonly [number, number]>();
  func.params.forEach((p, arg) => {
    func.bufferMap.get(p)?.shape.forEach((d, axis) => {
      if ((d.kind === "tir.Var" || d.kind === "tir.SizeVar") && !given.has(d) && !sizes.has(d)) sizes.set(d, [arg, axis]);
    });
  });
  if (sizes.size === 0) return func;
  const values = new Map<AnyVar, Var>([...sizes.keys()].map((v) => [v, makeVar(v.name, "int32")]));
  const mapper = sizeMapper(values);
  const bufferMap = new Map([...func.bufferMap].map(([p, b]) => [p, mapper.buffer(b)]));
  const sized = { ...func, params: [...func.params, ...values.values()], bufferMap, body: mapper.stmt(func.body) };
  // The workspace is allocated by now; its size is in terms of what is gone.
  return withAttrs(sized, { WorkspaceSize: undefined, [sizesAttr]: [...sizes.values()].map((at) => [...at]) });
}

/** Puts narrow parameters in the place of sizes; where the program narrows a size itself, that falls away. */
function sizeMapper(values: ReadonlyMap<AnyVar, Var>): ChildMapper & { buffer(b: Buffer): Buffer } {
  const buffers = new Map<Buffer, Buffer>();
  const sized = (e: PrimExpr): Var | undefined => (e.kind === "tir.Var" || e.kind === "tir.SizeVar" ? values.get(e) : undefined);
  const mapper = {
    expr(e: PrimExpr): PrimExpr {
      const narrow = sized(e);
      if (narrow !== undefined) return cast(e.dtype, narrow);
      if (e.kind === "tir.Cast") {
        const inner = sized(e.value);
        if (inner !== undefined) return cast(e.dtype, inner);
      }
      return mapExprChildren(e, mapper);
    },
    stmt: (s: Stmt): Stmt => mapStmtChildren(s, mapper),
    buffer(b: Buffer): Buffer {
      let mapped = buffers.get(b);
      if (mapped === undefined) buffers.set(b, (mapped = mapBuffer(b, mapper.expr)));
      return mapped;
    },
  };
  return mapper;
}
