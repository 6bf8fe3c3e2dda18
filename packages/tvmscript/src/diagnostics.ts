/** The messages of the reader and the printer. */
export const scriptDiagnostics = {
  syntax: {
    severity: "error",
    message: (p: { readonly message: string }): string => p.message,
  },
  "unknown-name": {
    severity: "error",
    message: (p: { readonly name: string; readonly suggestion?: string | undefined }): string => `\`${p.name}\` is not defined here.`,
    help: (p: { readonly suggestion?: string | undefined }): string | undefined =>
      p.suggestion ?? "Only the program's own names are known: values of the Python program around it are not. Write out what it stands for.",
  },
  "unknown-member": {
    severity: "error",
    message: (p: { readonly owner: string; readonly name: string; readonly suggestion?: string | undefined }): string =>
      `There is no \`${p.owner}.${p.name}\`.`,
    help: (p: { readonly suggestion?: string | undefined }): string | undefined => p.suggestion,
  },
  "needs-python": {
    severity: "error",
    message: (p: { readonly what: string }): string => `This program needs Python to run it: ${p.what} cannot be evaluated here.`,
    help: "Write out what it evaluates to, or build the program with the TypeScript builder.",
  },
  invalid: {
    severity: "error",
    message: (p: { readonly message: string; readonly help?: string | undefined }): string => p.message,
    help: (p: { readonly help?: string | undefined }): string | undefined => p.help,
  },
  duplicate: {
    severity: "error",
    message: (p: { readonly name: string }): string => `\`${p.name}\` is defined twice.`,
  },
  "too-deep": {
    severity: "error",
    message: (): string => "This program is nested too deeply to be read.",
  },
  "no-function": {
    severity: "error",
    message: (): string => "There is no module and no function here.",
    help: "A program starts with `@I.ir_module`, `@T.prim_func` or `@R.function`.",
  },
} as const;
