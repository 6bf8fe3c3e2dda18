import type { IndexMap } from "../ir/stmt.ts";
import type { BufferIndex } from "./buffer-ref.ts";
import type { Instruction, InstructionInput } from "./instruction.ts";
import type { ArgSpec, InstructionKind } from "./instruction-kinds.ts";

/** The arguments of a primitive by upstream's names. */
export type InstructionArgs = Readonly<Record<string, InstructionInput | BufferIndex | undefined>>;

/** Puts arguments where the instruction has them. */
export function packArgs(spec: InstructionKind, args: InstructionArgs): Pick<Instruction, "inputs" | "attrs"> {
  const pack = (names: readonly string[]): InstructionInput[] =>
    names.flatMap((name) => {
      const value = args[name];
      switch (formOf(spec, name)) {
        case "spread":
        case "positional":
          return value as readonly InstructionInput[];
        case "buffer": {
          const { index, side } = value as BufferIndex;
          return [index, side === "read" ? 0 : 1];
        }
        case "bufferKind":
          return [value === "read" ? 0 : 1];
        default:
          return [(value ?? null) as InstructionInput];
      }
    });
  return { inputs: pack(spec.inputs), attrs: pack(spec.attrs) };
}

/** The arguments of an instruction by name; a buffer as `[side, index]`. The reverse of `packArgs`. */
export function unpackArgs(spec: InstructionKind, inst: Pick<Instruction, "inputs" | "attrs">): ReadonlyMap<string, InstructionInput> {
  const out = new Map<string, InstructionInput>();
  const unpack = (names: readonly string[], values: readonly InstructionInput[]): void => {
    let at = 0;
    for (const name of names) {
      switch (formOf(spec, name)) {
        case "spread":
        case "positional":
          out.set(name, values.slice(at));
          at = values.length;
          break;
        case "buffer":
          out.set(name, [values[at + 1] === 0 ? "read" : "write", values[at] ?? 0]);
          at += 2;
          break;
        case "bufferKind":
          out.set(name, values[at++] === 0 ? "read" : "write");
          break;
        default:
          out.set(name, values[at++] ?? null);
      }
    }
  };
  unpack(spec.inputs, inst.inputs);
  unpack(spec.attrs, inst.attrs);
  return out;
}

function formOf(spec: InstructionKind, name: string): ArgSpec["form"] {
  const found = spec.args.find((a) => a.name === name);
  if (found === undefined) throw new Error(`internal: \`${spec.method}\` has no argument \`${name}\``);
  return found.form;
}

/** True for a map of indices among the arguments. */
export function isIndexMap(x: unknown): x is IndexMap {
  return typeof x === "object" && x !== null && "kind" in x && x.kind === "tir.IndexMap";
}
