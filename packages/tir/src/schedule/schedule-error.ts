import { isNode, type Node, type ObjectPath, type PathStep } from "@verticil/ir-core";
import { print } from "@verticil/tvmscript";
import type { PrimFunc } from "../ir/stmt.ts";
import { tir } from "../script/tir-script.ts";
import { requirements } from "./requirements.ts";

/** Where a primitive refused: what was wrong, at which nodes, and what would be needed. */
export interface ScheduleProblem {
  readonly message: string;
  /** The offending loops, blocks or expressions, the first one first. */
  readonly at: readonly Node[];
  /** The way out, in the imperative. */
  readonly help: string | undefined;
}

/** How much an error says: with the program and the place, the message alone, or nothing (upstream's levels). */
export type ErrorRenderLevel = "detail" | "fast" | "none";

/** Thrown inside primitives; the schedule adds which primitive it was and the program. */
export class PrimitiveRefused extends Error {
  readonly problem: ScheduleProblem;

  constructor(message: string, at?: Node | readonly Node[], help?: string) {
    super(message);
    this.name = "PrimitiveRefused";
    this.problem = { message, at: at === undefined ? [] : isNode(at) ? [at] : (at as readonly Node[]), help };
  }
}

/** Refuses a primitive: throws what the schedule turns into a `ScheduleError`. */
export function refuse(message: string, at?: Node | readonly Node[], help?: string): never {
  throw new PrimitiveRefused(message, at, help);
}

/**
 * A primitive that does not apply (upstream's `ScheduleError`). The schedule is as it was before the call. `message`
 * holds the program as text with the offending nodes underlined; it is made when it is first read, because callers that
 * try one thing after another never read it.
 */
export class ScheduleError extends Error {
  /** The primitive by upstream's name, such as `compute_at`. */
  readonly primitive: string;
  readonly problem: ScheduleProblem;

  /** `targets` are the blocks and loops that the primitive was called on: they are marked where the problem names no node. */
  constructor(primitive: string, problem: ScheduleProblem, funcs: readonly PrimFunc[], level: ErrorRenderLevel, targets: readonly Node[] = []) {
    super(`${primitive}: ${problem.message}`);
    this.name = "ScheduleError";
    this.primitive = primitive;
    this.problem = problem;
    let text: string | undefined;
    Object.defineProperty(this, "message", {
      configurable: true,
      get: () => (text ??= describe(primitive, problem, funcs, level, targets)),
    });
  }
}

function describe(primitive: string, problem: ScheduleProblem, funcs: readonly PrimFunc[], level: ErrorRenderLevel, targets: readonly Node[]): string {
  if (level === "none") return "The primitive does not apply (not rendered).";
  const parts = [`${primitive}: ${problem.message}.`];
  const help = problem.help ?? requirements.get(primitive);
  if (help !== undefined) parts.push(`help: ${help}`);
  if (level === "detail") parts.push(...programs(funcs, [problem.at, targets]));
  return parts.join("\n");
}

/** The functions that hold the first nodes that are in any, those underlined; all of them if none is. */
function programs(funcs: readonly PrimFunc[], candidates: readonly (readonly Node[])[]): readonly string[] {
  for (const nodes of candidates) {
    const found = funcs.map((func) => ({ func, paths: nodes.flatMap((n) => pathsTo(func, n).slice(0, 1)) })).filter((f) => f.paths.length > 0);
    if (found.length > 0) return found.map(({ func, paths }) => print(func, { dialects: [tir], pathsToUnderline: paths }));
  }
  return funcs.map((func) => print(func, { dialects: [tir] }));
}

/** The first place of a node in a program, by reference. */
function pathsTo(root: Node, target: Node): readonly ObjectPath[] {
  const seen = new Set<unknown>();
  const find = (value: unknown, path: readonly PathStep[]): readonly PathStep[] | undefined => {
    if (value === target) return path;
    if (typeof value !== "object" || value === null || value instanceof Map || seen.has(value)) return undefined;
    seen.add(value);
    if (Array.isArray(value)) return firstOf(value, (x: unknown, i) => find(x, [...path, { kind: "index", index: i }]));
    if (!isNode(value)) return undefined;
    const parts = Object.entries(value).filter(([name]) => name !== "span" && name !== "annotations");
    return firstOf(parts, ([name, x]) => find(x, [...path, { kind: "field", name }]));
  };
  const path = find(root, []);
  return path === undefined ? [] : [path];
}

function firstOf<T, R>(list: readonly T[], f: (x: T, i: number) => R | undefined): R | undefined {
  for (let i = 0; i < list.length; i++) {
    const r = f(list[i] as T, i);
    if (r !== undefined) return r;
  }
  return undefined;
}
