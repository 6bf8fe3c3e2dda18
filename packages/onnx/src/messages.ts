import { DiagnosticError, Diagnostics, type Catalogue, type Diagnostic, type DiagnosticDef } from "@verticil/ir-core";

/** What each message is told, by code. */
export interface OnnxMessageParams {
  readonly "not-onnx": { readonly reason: string };
  readonly "no-graph": Record<string, never>;
  readonly "too-many-nodes": { readonly count: number; readonly limit: number };
  readonly "duplicate-name": { readonly name: string; readonly first: string; readonly second: string };
  readonly "missing-input": { readonly node: string; readonly name: string };
  readonly "missing-output": { readonly name: string };
  readonly cycle: { readonly nodes: readonly string[] };
  readonly "unsupported-op": { readonly op: string; readonly nodes: readonly string[] };
  readonly "unsupported-opset": { readonly version: number };
  readonly "unsupported-form": { readonly node: string; readonly reason: string };
  readonly "unsupported-type": { readonly what: string; readonly type: string };
  readonly "open-sequence": { readonly name: string };
  readonly "bad-shape": { readonly name: string; readonly reason: string };
  readonly "dynamic-argument": { readonly node: string; readonly what: string };
  readonly "missing-argument": { readonly node: string; readonly index: number };
  readonly "attribute-type": { readonly node: string; readonly name: string; readonly expected: string; readonly got: string };
  readonly "missing-attribute": { readonly node: string; readonly name: string };
  readonly "tensor-size": { readonly name: string; readonly shape: string; readonly expected: number; readonly got: number };
  readonly "external-data": { readonly name: string };
  readonly "bad-external-data": { readonly name: string; readonly reason: string };
  readonly "dimension-too-large": { readonly name: string; readonly size: string };
  readonly "unknown-dim": { readonly name: string; readonly known: readonly string[]; readonly meant: string | undefined };
  readonly "bad-node": { readonly node: string; readonly reason: string };
}

export type OnnxCode = keyof OnnxMessageParams;

type Messages = { readonly [K in OnnxCode]: DiagnosticDef & { readonly message: (params: OnnxMessageParams[K]) => string } };

const INCONSISTENT = "The file is inconsistent: export the model again, or see what onnx.checker.check_model says of it.";

const error = <P>(message: (params: P) => string, help?: string): DiagnosticDef & { readonly message: (params: P) => string } =>
  help === undefined ? { severity: "error", message } : { severity: "error", message, help };

/** Everything that can be wrong with a model, by code. */
export const onnxDiagnostics: Messages = {
  "not-onnx": error((p) => `The bytes are not an ONNX model: ${p.reason}.`, "Check that the file is complete and not, say, a Git LFS pointer."),
  "no-graph": error(() => "The model has no graph.", "Check that the file is complete."),
  "too-many-nodes": error((p) => `The graph has ${p.count} nodes, more than ${p.limit}.`, "Split the model."),
  "duplicate-name": error((p) => `Two places define the value \`${p.name}\`: ${p.first} and ${p.second}.`, "Names of values are unique in ONNX; export the model again."),
  "missing-input": error((p) => `${p.node} reads \`${p.name}\`, which nothing defines.`, INCONSISTENT),
  "missing-output": error((p) => `The model's output \`${p.name}\` is defined by no node.`, INCONSISTENT),
  cycle: error((p) => `The graph has a cycle: ${p.nodes.join(" → ")}.`, INCONSISTENT),
  "unsupported-op": error(
    (p) => `The operator \`${p.op}\` is not supported. It is used by ${listed(p.nodes)}.`,
    "Give `importOnnx` a converter for it in `converters`, or replace it in the model.",
  ),
  "unsupported-opset": error((p) => `The model is of opset ${p.version}; opsets 1 to 28 are read.`, "Convert it with onnx.version_converter."),
  "unsupported-form": error((p) => `${p.node} is not supported in this form: ${p.reason}.`, "Give `importOnnx` a converter of your own in `converters`, or rewrite this part of the model."),
  "unsupported-type": error((p) => `${p.what} is of type ${p.type}, which is not supported.`, "Convert the model to a type that is, e.g. float32 or float16."),
  "open-sequence": error((p) => `The input \`${p.name}\` is a sequence, and nothing says how many tensors it has.`, "Give `importOnnx` a list of their shapes: `shapes: { NAME: [[3], [4]] }`."),
  "bad-shape": error((p) => `\`shapes\` does not fit the input \`${p.name}\`: ${p.reason}.`, "A tensor takes a list of sizes, a sequence a list of such lists; null is for an optional input that holds nothing."),
  "dynamic-argument": error((p) => `${p.node} needs ${p.what} at compile time, but it is computed by the model.`, "Fix the sizes of the inputs with `dims`, or simplify the model first."),
  "missing-argument": error((p) => `${p.node} lacks its input number ${p.index}.`, INCONSISTENT),
  "attribute-type": error((p) => `Attribute \`${p.name}\` of ${p.node} is to be ${p.expected}, not ${p.got}.`, INCONSISTENT),
  "missing-attribute": error((p) => `${p.node} lacks the attribute \`${p.name}\`.`, INCONSISTENT),
  "tensor-size": error((p) => `The tensor \`${p.name}\` of shape [${p.shape}] takes ${p.expected} elements; the file has ${p.got}.`, "Check that the file is complete."),
  "external-data": error((p) => `The tensor \`${p.name}\` is stored outside the file.`, "Give `importOnnx` a function that reads it as `externalData`: `externalDataBeside(path)` of `@verticil/onnx/node` reads files beside the model."),
  "bad-external-data": error((p) => `The data of the tensor \`${p.name}\` cannot be read from outside the file: ${p.reason}.`, "Check that the files beside the model are complete and named as it says."),
  "dimension-too-large": error((p) => `\`${p.name}\` has a dimension of ${p.size}; 2147483647 is the largest.`, "Give the input a smaller shape, with `dims` or `shapes`, or export the model with one."),
  "unknown-dim": error(
    (p) => `The model has no dimension named \`${p.name}\`; it has ${listed(p.known)}.${p.meant === undefined ? "" : ` Did you mean \`${p.meant}\`?`}`,
  ),
  "bad-node": error((p) => `${p.node} does not fit its inputs: ${p.reason}`, "Check the shapes of the model's inputs, and of `dims`, if it was given."),
};

function listed(names: readonly string[]): string {
  if (names.length === 0) return "none";
  const shown = names.slice(0, 5).map((n) => `\`${n}\``);
  return names.length > 5 ? `${shown.join(", ")} and ${names.length - 5} more` : shown.join(", ");
}

/** Collects diagnostics of one import. */
export class OnnxReport {
  readonly #diagnostics = new Diagnostics();

  /** Notes an error and goes on. */
  note<K extends OnnxCode>(code: K, params: OnnxMessageParams[K]): void {
    this.#diagnostics.reporter("onnx", onnxDiagnostics as Messages & Catalogue)(code, params as never);
  }

  /** What was noted. */
  get diagnostics(): readonly Diagnostic[] {
    return this.#diagnostics.all;
  }

  /** Throws what was noted, if anything was. */
  throwIfAny(): void {
    if (this.#diagnostics.hasErrors) throw new DiagnosticError(this.#diagnostics.all);
  }
}

/** Ends the import with one error. @throws DiagnosticError */
export function fail<K extends OnnxCode>(code: K, params: OnnxMessageParams[K]): never {
  const report = new OnnxReport();
  report.note(code, params);
  report.throwIfAny();
  throw new Error("internal: an error was not thrown");
}
