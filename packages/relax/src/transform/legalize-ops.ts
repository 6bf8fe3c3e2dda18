import { contextKey, definePass, type ContextKey, type Pass } from "@verticil/ir-core";
import { getElement } from "@verticil/runtime-ffi";
import { isVar } from "../analysis/variables.ts";
import { relaxDiagnostics } from "../analysis/well-formed-diagnostics.ts";
import type { Call, Expr } from "../ir/expr.ts";
import { BlockBuilder } from "../ir/block-builder.ts";
import { callTirParts, opNameOf } from "../ir/call-target.ts";
import { callTe, callTeOperands } from "../ir/call-te.ts";
import { exprKeys } from "../ir/expr-keys.ts";
import { makeTuple } from "../ir/make.ts";
import { rewriteModule } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import type { LegalizeRule, LegalizeTable } from "../op/legalize-rule.ts";

/** The rules that a pipeline legalizes with; see `legalizeTable`. */
export const legalizeTableKey: ContextKey<LegalizeTable> = contextKey("relax.legalize");

/** Options of `legalizeOps`. */
export interface LegalizeOpsOptions {
  /** Rules that win over the table's, by operator name. */
  readonly customize?: LegalizeTable;
  /** Operators that stay as they are. */
  readonly skip?: readonly string[];
  /** Warns of each call of an operator that stays, but for those that the virtual machine carries out: `relax/not-legalized`. */
  readonly enableWarning?: boolean;
}

/**
 * Upstream's `LegalizeOps`: replaces each call of an operator by a `call_tir` of a tensor program that computes it.
 * Operators without a rule stay; so do calls whose shapes are not known.
 */
export function legalizeOps(opts: LegalizeOpsOptions = {}): Pass {
  return definePass("LegalizeOps", (module, ctx) => {
    const table = ctx.get(legalizeTableKey);
    const skip = new Set(opts.skip ?? []);
    const programs = makePrograms();
    const report = opts.enableWarning === true ? ctx.diagnostics.reporter("relax", relaxDiagnostics) : undefined;
    return rewriteModule(
      module,
      () => new BlockBuilder({ ops: ctx.get(opRegistryKey), module }),
      (func) =>
        func.attrs["Primitive"] !== undefined
          ? undefined
          : (value, { bb }) => {
              const name = opNameOf(value);
              if (name === undefined || skip.has(name)) return undefined;
              const rule: LegalizeRule | undefined = opts.customize?.get(name) ?? table.get(name);
              // A call whose operands were legalized to another shape is told its own anew.
              const legal = rule === undefined ? undefined : legalized(bb.normalizeCall(value as Call), rule, bb, programs);
              if (legal === undefined && !runsAsItIs(name)) report?.("not-legalized", { name, reason: rule === undefined ? "no rule" : "rule declined" }, value.span);
              return legal;
            },
    );
  });
}

/** Calls of functions, and what the virtual machine and the passes before it carry out. */
function runsAsItIs(op: string): boolean {
  return /^relax\.(call_|invoke_|memory\.|vm\.|builtin\.|(make_closure|null_value|print|assert_op|shape_of|tensor_to_shape|shape_to_tensor|hint_on_device|to_vdevice)$)/.test(op);
}

/** What calls that differ in their operands only become: which program, called on which of the operands. */
interface LegalizedCall {
  readonly program: Call;
  /** For each argument of the program, the operand and, in a tuple, the field. */
  readonly operands: readonly (readonly [operand: number, field: number | undefined])[];
}

/** Applies a rule, or the answer that it gave to a call of the same operator on operands of the same shapes. */
function legalized(call: Call, rule: LegalizeRule, bb: BlockBuilder, programs: Programs): Expr | undefined {
  const key = programs.keyOf(call);
  const known = key === undefined ? undefined : programs.known.get(key);
  if (known !== undefined) {
    const args = known.operands.map(([i, field]) => operandOf(call, i, field));
    if (args.every((a) => a !== undefined)) return withArguments(known.program, args);
  }
  const { result, program } = legalizeCall(call, rule, bb);
  if (key !== undefined && program !== undefined) {
    const operands = callTirParts(program)?.args.fields.map((a) => placeOf(call, a));
    if (operands?.every((o) => o !== undefined) === true) programs.known.set(key, { program, operands });
  }
  return result;
}

/** What a rule makes of a call; `program` is that too, if it is the call of a tensor program and no more. */
export function legalizeCall(call: Call, rule: LegalizeRule, bb: BlockBuilder): { readonly result: Expr | undefined; readonly program: Call | undefined } {
  let built: Call | undefined;
  let pieces = 0;
  const result = rule(call, {
    callTe: (fn, args, o) => {
      pieces++;
      built = callTe(bb, fn, args, o);
      return built;
    },
    callTeOperands: (fn, args, o) => {
      pieces++;
      built = callTeOperands(bb, fn, args, o);
      return built;
    },
    emit: (e, hint) => {
      pieces++;
      return bb.emit(e, hint);
    },
    matchCast: (e, info, hint) => {
      pieces++;
      return bb.matchCast(e, info, hint);
    },
  });
  return { result, program: pieces === 1 && result === built ? built : undefined };
}

/** Legalized calls by what decides about their program. */
interface Programs {
  readonly known: Map<string, LegalizedCall>;
  readonly keyOf: (call: Call) => string | undefined;
}

function makePrograms(): Programs {
  const keys = exprKeys();
  const operandKey = (a: Expr): string | undefined => {
    if (a.kind === "relax.Tuple") {
      const fields = a.fields.map(operandKey);
      return fields.every((f) => f !== undefined) ? `(${fields.join(";")})` : undefined;
    }
    const info = structInfoOf(a);
    // The value of a scalar may become part of the program.
    if (a.kind === "relax.Constant" && a.data.shape.length === 0) return `${a.data.dtype}=${String(getElement(a.data, 0))}`;
    if (a.kind === "relax.Constant" || isVar(a)) return info?.kind === "relax.TensorStructInfo" ? keys.ofInfo(info) : undefined;
    return keys.ofExpr(a);
  };
  return {
    known: new Map(),
    keyOf: (call) => {
      const operands = call.args.map(operandKey);
      if (!operands.every((o) => o !== undefined)) return undefined;
      const shell = keys.ofExpr({ ...call, args: [] });
      // Where operands are one value, nothing tells which of its places an argument of the program came from.
      const places = call.args.flatMap((a) => (a.kind === "relax.Tuple" ? a.fields : [a]));
      return shell === undefined ? undefined : `${shell} ${operands.join("|")} ${places.map((a) => places.indexOf(a)).join()}`;
    },
  };
}

function placeOf(call: Call, arg: Expr): readonly [number, number | undefined] | undefined {
  for (const [i, operand] of call.args.entries()) {
    if (operand === arg) return [i, undefined];
    if (operand.kind !== "relax.Tuple") continue;
    const field = operand.fields.indexOf(arg);
    if (field >= 0) return [i, field];
  }
  return undefined;
}

function operandOf(call: Call, i: number, field: number | undefined): Expr | undefined {
  const operand = call.args[i];
  if (field === undefined) return operand;
  return operand?.kind === "relax.Tuple" ? operand.fields[field] : undefined;
}

function withArguments(program: Call, args: readonly (Expr | undefined)[]): Call {
  const [callee, , ...rest] = program.args;
  const fields = args.filter((a) => a !== undefined);
  return callee === undefined ? program : { ...program, args: [callee, makeTuple(fields), ...rest] };
}
