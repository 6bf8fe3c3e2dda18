import type { VmConstant, VmExecutable, VmInstruction, VmOperand } from "./executable.ts";

/** A program for people to read: functions with their instructions, one a line (upstream's `as_text`). */
export function vmExecutableText(executable: VmExecutable): string {
  const lines: string[] = [];
  for (const f of executable.functions) {
    if (f.kind === "packed") continue;
    if (f.kind === "kernel") {
      const sizes = f.dims.map((d) => `argument ${d.arg} axis ${d.axis}`).join(", ");
      lines.push(`@${f.name}(${f.params.join(", ")}) kernel${sizes === "" ? "" : `, sizes of ${sizes}`}`, "");
      continue;
    }
    lines.push(`@${f.name}(${f.params.map((p, i) => `%${i} ${p.name}: ${p.type}`).join(", ")}) ${f.registers} registers:`);
    f.code.forEach((i, at) => lines.push(`  ${String(at).padStart(3)}  ${instructionText(i, at, executable)}`));
    lines.push("");
  }
  return lines.join("\n");
}

function instructionText(i: VmInstruction, at: number, executable: VmExecutable): string {
  const operand = (o: VmOperand): string => operandText(o, executable);
  switch (i.op) {
    case "call":
      return `call ${executable.functions[i.func]?.name ?? i.func} (${i.args.map(operand).join(", ")})${i.dst < 0 ? "" : ` → %${i.dst}`}`;
    case "ret":
      return `ret ${operand(i.value)}`;
    case "goto":
      return `goto ${at + i.offset}`;
    case "if":
      return `if %${i.cond} else ${at + i.offset}`;
  }
}

function operandText(o: VmOperand, executable: VmExecutable): string {
  switch (o.kind) {
    case "register":
      return `%${o.index}`;
    case "immediate":
      return String(o.value);
    case "function":
      return `@${executable.functions[o.index]?.name ?? o.index}`;
    case "constant": {
      const c = executable.constants[o.index];
      return c === undefined ? `c[${o.index}]` : constantText(c);
    }
  }
}

function constantText(c: VmConstant): string {
  switch (c.kind) {
    case "tensor":
      return `tensor ${c.name}`;
    case "shape":
      return `shape(${c.shape.join(", ")})`;
    case "string":
      return JSON.stringify(c.value);
    case "null":
      return "null";
    default:
      return String(c.value);
  }
}
