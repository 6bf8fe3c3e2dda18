interface Named {
  readonly name: string;
}

/** What may be wrong with a graph program. The rules are those of upstream's `well_formed.cc`; the last two are of `LegalizeOps` and `MetaScheduleApplyDatabase`. */
export const relaxDiagnostics = {
  "no-struct-info": {
    severity: "error",
    message: (p: { readonly what: string }): string => `${p.what} has no struct info.`,
    help: "Build it with a `BlockBuilder`, or run `Normalize`.",
  },
  "unknown-function": {
    severity: "error",
    message: (p: Named): string => `The module has no function \`${p.name}\`.`,
  },
  "symbol-mismatch": {
    severity: "error",
    message: (p: Named & { readonly symbol: string }): string => `The function \`${p.name}\` has the global symbol \`${p.symbol}\`.`,
    help: "A function is exported under its name in the module: make them the same, or drop the symbol.",
  },
  "shared-parameter": {
    severity: "error",
    message: (p: Named): string => `The variable \`${p.name}\` is a parameter twice.`,
    help: "Give each function parameters of its own.",
  },
  "shared-symbolic": {
    severity: "error",
    message: (p: Named): string => `The symbolic variable \`${p.name}\` is used in two functions.`,
    help: "Symbolic variables belong to one function: copy the function with fresh ones.",
  },
  "undefined-var": {
    severity: "error",
    message: (p: Named): string => `The variable \`${p.name}\` is used before it is bound, or outside the branch that binds it.`,
  },
  "redefined-var": {
    severity: "error",
    message: (p: Named): string => `The variable \`${p.name}\` is bound twice.`,
  },
  "undefined-symbolic": {
    severity: "error",
    message: (p: Named): string => `The symbolic variable \`${p.name}\` has no value here.`,
    help: "Symbolic variables get their values from parameters' shapes and from `match_cast`.",
  },
  "dataflow-var-outside": {
    severity: "error",
    message: (p: Named & { readonly does: "bound" | "used" }): string => `The dataflow variable \`${p.name}\` is ${p.does} outside its dataflow block.`,
    help: "Make it an output of the block.",
  },
  "misplaced-sequence": {
    severity: "error",
    message: (): string => "A sequence of bindings is the body of a function or of a branch, and stands nowhere else.",
  },
  "no-sequence": {
    severity: "error",
    message: (p: { readonly where: string }): string => `The ${p.where} is a sequence of bindings with a result.`,
  },
  "not-normal": {
    severity: "error",
    message: (p: { readonly where: string; readonly kind: string }): string => `The ${p.where} is an expression of its own (a \`${p.kind}\`).`,
    help: "Bind it to a variable first.",
  },
  "tuple-not-written": {
    severity: "error",
    message: (p: { readonly callee: string }): string => `The tensors of a call of ${p.callee} are written out as a tuple.`,
    help: "Build the call with a `BlockBuilder`, which does that.",
  },
  "branch-in-dataflow": {
    severity: "error",
    message: (): string => "A dataflow block has no branches.",
  },
  "impure-in-dataflow": {
    severity: "error",
    message: (p: { readonly callee: string }): string => `The call of ${p.callee} has effects: it cannot stand in a dataflow block.`,
  },
  "impure-in-pure": {
    severity: "error",
    message: (p: Named & { readonly callee: string }): string => `The function ${p.name} is said to be pure, but its call of ${p.callee} has effects.`,
    help: "Declare it with `pure=False`, use a pure variant of the call such as `call_pure_packed`, or set `relax.force_pure`.",
  },
  "forced-impure": {
    severity: "error",
    message: (p: Named): string => `The function ${p.name} has \`relax.force_pure\` but is not pure.`,
  },
  "inline-prim-func": {
    severity: "error",
    message: (): string => "A tensor program stands in the module, not inside a graph function.",
  },
  "shape-not-integer": {
    severity: "error",
    message: (p: { readonly dtype: string }): string => `A dimension is an integer, not ${p.dtype}.`,
  },
  "cannot-infer": {
    severity: "error",
    message: (p: { readonly reason: string }): string => p.reason,
  },
  "wrong-struct-info": {
    severity: "error",
    message: (p: { readonly found: string; readonly said: string }): string => `This gives ${p.found}, but is said to be ${p.said}.`,
  },
  "invalid-call": {
    severity: "error",
    message: (p: { readonly reason: string }): string => p.reason,
  },
  "invalid-attribute": {
    severity: "error",
    message: (p: { readonly reason: string }): string => p.reason,
    help: "Build the call with a `BlockBuilder`, which fills in what is not said.",
  },
  "not-legalized": {
    severity: "warning",
    message: (p: Named & { readonly reason: "no rule" | "rule declined" }): string =>
      p.reason === "no rule" ? `There is no rule that makes a tensor program of \`${p.name}\`.` : `A call of \`${p.name}\` stays: its shapes are not known, or its attributes are not supported.`,
    help: "Give `LegalizeOps` a rule of your own, or the operands a known shape by `match_cast`.",
  },
  "not-tuned": {
    severity: "warning",
    message: (p: Named): string => `The tuning database has no schedule of \`${p.name}\`.`,
    help: "Tune the module, or leave the program to the rules of a default schedule.",
  },
} as const;
