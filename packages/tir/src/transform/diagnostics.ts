/** What the passes over tensor programs say about a program that they cannot transform. */
export const transformDiagnostics = {
  "undef-with-effect": {
    severity: "error",
    message: (): string => "A value that depends on `T.undef()` has a side effect, so the store cannot be dropped.",
    help: "Evaluate the effect in a statement of its own.",
  },
  "undef-left": {
    severity: "error",
    message: (): string => "`T.undef()` is used for something other than a stored value.",
    help: "Use it only as the value of a store, possibly through a `let`.",
  },
  "wide-buffer": {
    severity: "error",
    message: (p: { readonly buffer: string; readonly dtype: string }): string =>
      `Buffer \`${p.buffer}\` holds ${p.dtype}; its elements cannot be narrowed to int32.`,
    help: "Convert the tensor to int32 first, or leave out `ForceNarrowIndexToInt32`.",
  },
  "index-too-wide": {
    severity: "error",
    message: (p: { readonly value: string }): string => `The constant ${p.value} does not fit in 32 bits.`,
    help: "Leave out `ForceNarrowIndexToInt32` for this function.",
  },
  "match-buffer": {
    severity: "error",
    message: (p: { readonly buffer: string; readonly source: string; readonly what: string }): string =>
      `Buffer \`${p.buffer}\` cannot stand for the region of \`${p.source}\`: the ${p.what} is not known to be the same.`,
    help: "Leave the part a free variable, or match a region that has it.",
  },
  "predicate-uses-block-var": {
    severity: "error",
    message: (p: { readonly name: string }): string => `The predicate of a block uses the block's own variable \`${p.name}\`, which has no value there.`,
    help: "Write the predicate in terms of the loops around the block.",
  },
  "cross-thread-reduction": {
    severity: "error",
    message: (p: { readonly block: string; readonly why: string }): string => `Block \`${p.block}\` reduces over threads in a form that cannot be lowered: ${p.why}.`,
    help: "Bind the innermost reduction loops to `threadIdx` axes, directly around the block, or none of them.",
  },
  "no-target": {
    severity: "error",
    message: (p: { readonly pass: string }): string => `\`${p.pass}\` needs to know where the function runs, and it has no target.`,
    help: "Run `BindTarget` first, or give the function the attribute `target`.",
  },
  "kernel-launch": {
    severity: "error",
    message: (p: { readonly kernel: string; readonly why: string }): string => `The kernel \`${p.kernel}\` cannot be launched: ${p.why}.`,
    help: "Run the passes of the pipeline before this one, or change the call.",
  },
  "barrier-in-condition": {
    severity: "error",
    message: (p: { readonly scope: string }): string => `A barrier for \`${p.scope}\` memory would have to stand under a condition, where not every thread reaches it.`,
    help: "Take the accesses out of the condition, or mark one that all threads share with `T.tvm_thread_invariant`.",
  },
} as const;
