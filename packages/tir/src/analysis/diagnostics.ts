/** What the analyses of tensor programs say about a program. */
export const analysisDiagnostics = {
  "undefined-var": {
    severity: "error",
    message: (p: { readonly name: string; readonly where: string }): string => `Invalid use of undefined variable \`${p.name}\` ${p.where}.`,
    help: "Define it in a loop, a `let`, a parameter or the shape of a parameter's buffer around this place.",
  },
  "out-of-scope-var": {
    severity: "error",
    message: (p: { readonly name: string; readonly where: string }): string =>
      `Invalid use of undefined variable \`${p.name}\` ${p.where}: its definition is no longer in scope.`,
    help: "Move the use into what defines the variable.",
  },
  "nested-definition": {
    severity: "error",
    message: (p: { readonly name: string }): string => `The program is ill-formed, due to multiple nested definitions of variable \`${p.name}\`.`,
    help: "Give each place that defines a variable one of its own; `ConvertSSA` does.",
  },
  "repeated-definition": {
    severity: "error",
    message: (p: { readonly name: string }): string => `The program is ill-formed, due to multiple definitions of variable \`${p.name}\`.`,
    help: "Give each place that defines a variable one of its own; `ConvertSSA` does.",
  },
  "loop-var-in-block": {
    severity: "error",
    message: (p: { readonly name: string; readonly block: string }): string =>
      `Loop variable \`${p.name}\` is defined outside of the block "${p.block}" but used inside of it.`,
    help: "Bind it to a variable of the block, and use that.",
  },
  "thread-vars-differ": {
    severity: "error",
    message: (p: { readonly tag: string; readonly first: string; readonly second: string }): string =>
      `\`${p.tag}\` is bound to two variables, \`${p.first}\` and \`${p.second}\`.`,
    help: "All declarations of a thread axis in a function share one variable.",
  },
  "scope-ids-differ": {
    severity: "error",
    message: (p: { readonly whole: string; readonly total: bigint; readonly parts: string }): string =>
      `\`T.${p.whole}\` counts ${p.total}, which are not made up by ${p.parts}.`,
  },
  "impure-store": {
    severity: "error",
    message: (p: { readonly buffer: string }): string => `Pure functions must not write to buffers that they did not allocate, but this one stores to \`${p.buffer}\`.`,
  },
  "impure-call": {
    severity: "error",
    message: (p: { readonly op: string }): string => `Pure functions must not call what has effects, but this one calls \`${p.op}\`.`,
  },
  "host-access": {
    severity: "error",
    message: (p: { readonly buffer: string }): string =>
      `\`${p.buffer}\` is directly accessed by host memory: the access is not inside of a thread axis, and the function runs on a GPU.`,
    help: "Bind a loop around it to a thread axis.",
  },
  "access-out-of-bounds": {
    severity: "error",
    message: (p: { readonly buffer: string; readonly dimension: number; readonly min: number; readonly max: number; readonly extent: string }): string =>
      `Out of bounds memory access on buffer \`${p.buffer}\`, dimension ${p.dimension}: the index is in [${p.min}, ${p.max}], the dimension has ${p.extent} elements.`,
  },
  "gpu-limit": {
    severity: "error",
    message: (p: { readonly what: string; readonly used: number; readonly limit: number }): string => `${p.what} is ${p.used}; at most ${p.limit} are allowed.`,
  },
  "unsupported-storage": {
    severity: "error",
    message: (p: { readonly buffer: string; readonly dtype: string; readonly target: string }): string =>
      `Buffer \`${p.buffer}\` holds ${p.dtype}, which ${p.target} has no memory of.`,
    help: "Convert it: `ForceNarrowIndexToInt32` narrows int64, the storage legalizations replace bool, bfloat16 and float8.",
  },
  "unsupported-type": {
    severity: "error",
    message: (p: { readonly dtype: string; readonly target: string }): string => `A value of ${p.dtype} is computed, which ${p.target} does not have.`,
    help: "Narrow indices with `NarrowDataType(32)`, or legalize the type before.",
  },
  "barrier-in-divergent-flow": {
    severity: "error",
    message: (p: { readonly condition: string }): string => `A barrier stands under ${p.condition} that differs from thread to thread.`,
    help: "Take the barrier out of it: every thread of a workgroup must reach it.",
  },
} as const;
