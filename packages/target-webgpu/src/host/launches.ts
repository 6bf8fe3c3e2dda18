import type { GlobalVar, Reporter, Span } from "@verticil/ir-core";
import { asInt, visitStmt, type Call, type IterVar, type PrimExpr, type PrimFunc, type Stmt, type Var } from "@verticil/tir";
import type { webgpuDiagnostics } from "../diagnostics.ts";

/** A part of a function that runs on a grid of threads. */
export interface Launch {
  readonly kind: "launch";
  readonly name: string;
  /** What each thread does. */
  readonly body: Stmt;
  /** The variables of the grid, with what gives them their value: `blockIdx.x`. */
  readonly threads: ReadonlyMap<Var, string>;
  /** Workgroups, and threads of each, along x, y and z. */
  readonly grid: readonly [number, number, number];
  readonly group: readonly [number, number, number];
  readonly span: Span | undefined;
}

/** A call of another function. */
export interface HostCall {
  readonly kind: "call";
  readonly callee: GlobalVar;
  readonly args: readonly PrimExpr[];
  readonly span: Span | undefined;
}

/** A pointer that is another one moved on. */
export interface Moved {
  readonly base: PrimExpr;
  /** Bytes. */
  readonly offset: number;
}

/** A function as the host sees it: what runs one after the other, and where its pointers come from. */
export interface HostFunction {
  readonly func: PrimFunc;
  readonly steps: readonly (Launch | HostCall)[];
  readonly pointers: ReadonlyMap<Var, Moved>;
}

/**
 * Takes a lowered function apart: what stands inside of `thread_extent` attributes runs on the grid, calls of functions
 * of the module are the host's, and any other code runs on a grid of one thread.
 */
export function splitLaunches(name: string, func: PrimFunc, report: Reporter<typeof webgpuDiagnostics>): HostFunction {
  const steps: (Launch | HostCall)[] = [];
  const pointers = new Map<Var, Moved>();
  for (const [param, buffer] of func.bufferMap) if (buffer.data !== param) pointers.set(buffer.data, { base: param, offset: 0 });
  const launch = (s: Stmt, inside: (body: Stmt) => Stmt): void => {
    steps.push(makeLaunch(`${name}${steps.length === 0 ? "" : `_${steps.length}`}`, s, inside, report));
  };
  const visit = (s: Stmt, inside: (body: Stmt) => Stmt): void => {
    switch (s.kind) {
      case "tir.SeqStmt":
        for (const item of s.seq) visit(item, inside);
        return;
      case "tir.DeclBuffer":
        visit(s.body, inside);
        return;
      case "tir.LetStmt":
        if (s.bind.dtype !== "handle") return visit(s.body, (body) => inside({ ...s, body }));
        pointers.set(s.bind, movedPointer(s.value));
        visit(s.body, inside);
        return;
      case "tir.Allocate":
      case "tir.AllocateConst": {
        const scope = scopeOfPointer(s.bufferVar);
        if (s.kind === "tir.Allocate" && (scope === "" || scope === "global") && countLaunches(s.body) > 1) {
          report("host-code", { what: "An allocation" }, s.span);
          return;
        }
        visit(s.body, (body) => inside({ ...s, body }));
        return;
      }
      case "tir.AttrStmt":
        if (s.attrKey === "thread_extent") launch(s, inside);
        else visit(s.body, inside);
        return;
      case "tir.AssertStmt":
        visit(s.body, inside);
        return;
      case "tir.Evaluate":
        if (s.value.kind !== "tir.Call") return;
        if (s.value.op.kind === "ir.GlobalVar") steps.push({ kind: "call", callee: s.value.op, args: s.value.args, span: s.span });
        else launch(s, inside);
        return;
      default:
        launch(s, inside);
    }
  };
  visit(func.body, (body) => body);
  return { func, steps, pointers };
}

function countLaunches(s: Stmt): number {
  let count = 0;
  visitStmt(s, {
    expr: () => "skip",
    stmt(x) {
      if (x.kind !== "tir.AttrStmt" || x.attrKey !== "thread_extent") return undefined;
      count++;
      return "skip";
    },
  });
  return count;
}

function scopeOfPointer(v: Var): string {
  const type = v.typeAnnotation;
  return type?.kind === "ir.PointerType" ? type.storageScope : "";
}

/** A pointer as another one and an offset in bytes. */
export function movedPointer(e: PrimExpr): Moved {
  if (!isMove(e)) return { base: e, offset: 0 };
  const [base, offset] = e.args;
  return base === undefined ? { base: e, offset: 0 } : { base, offset: (offset && asInt(offset)) ?? NaN };
}

function isMove(e: PrimExpr): e is Call {
  return e.kind === "tir.Call" && e.op.kind === "ir.Op" && e.op.name === "tir.handle_add_byte_offset";
}

const AXES = ["x", "y", "z"] as const;

function makeLaunch(name: string, s: Stmt, inside: (body: Stmt) => Stmt, report: Reporter<typeof webgpuDiagnostics>): Launch {
  const threads = new Map<Var, string>();
  const sizes = new Map<string, number>();
  let body = s;
  while (body.kind === "tir.AttrStmt" && body.attrKey === "thread_extent" && body.node?.kind === "tir.IterVar") {
    const { var: v, threadTag } = body.node as IterVar;
    const extent = asInt(body.value);
    if (extent === undefined) report("dynamic-grid", { kernel: name }, body.span);
    threads.set(v, threadTag);
    sizes.set(threadTag, extent ?? 1);
    body = body.body;
  }
  const along = (prefix: string): readonly [number, number, number] => {
    const [x, y, z] = AXES.map((axis) => sizes.get(`${prefix}.${axis}`) ?? 1);
    return [x ?? 1, y ?? 1, z ?? 1];
  };
  return { kind: "launch", name, body: inside(body), threads, grid: along("blockIdx"), group: along("threadIdx"), span: s.span };
}
