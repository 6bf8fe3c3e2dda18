import { test } from "vitest";
import { liftWorkspace } from "./lift-workspace.ts";
import { expectPass } from "./testing/expect-pass.ts";

const program = (body: string, { parameters = "", attrs = "" } = {}): string => `
@T.prim_func
def main(A: T.Buffer((16,), "float32")${parameters}):
${attrs}${body.trimEnd()}
`;
const use = (name: string, data: string, indent = "    "): string => `${indent}${name} = T.Buffer((16,), "float32", data=${data})\n${indent}${name}[0] = A[0]\n`;
const sized = (bytes: number): { parameters: string; attrs: string } => ({ parameters: ", workspace: T.handle", attrs: `    T.func_attr({"WorkspaceSize": T.int64(${bytes})})\n` });

test("memory that a function allocates becomes a place in one more parameter", () =>
  expectPass(
    liftWorkspace(),
    program(`    a = T.allocate([16], "float32", "global")\n${use("a_1", "a")}`),
    program(`    a: T.handle("float32", "global") = T.handle_add_byte_offset(workspace, 0)\n${use("a_1", "a")}`, sized(64)),
  ));

test("what is alive at the same time lies side by side, each at the begin of a cache line", () =>
  expectPass(
    liftWorkspace(),
    program(`    a = T.allocate([17], "float32", "global")\n    b = T.allocate([16], "float32", "global")\n${use("a_1", "a")}${use("b_1", "b")}`),
    program(`    a: T.handle("float32", "global") = T.handle_add_byte_offset(workspace, 0)\n    b: T.handle("float32", "global") = T.handle_add_byte_offset(workspace, 128)\n${use("a_1", "a")}${use("b_1", "b")}`, sized(192)),
  ));

test("what is never alive at the same time shares a place", () =>
  expectPass(
    liftWorkspace(),
    program(`    for i in range(2):\n        a = T.allocate([16], "float32", "global")\n${use("a_1", "a", "        ")}    for j in range(2):\n        b = T.allocate([16], "float32", "global")\n${use("b_1", "b", "        ")}`),
    program(
      `    for i in range(2):\n        a: T.handle("float32", "global") = T.handle_add_byte_offset(workspace, 0)\n${use("a_1", "a", "        ")}    for j in range(2):\n        b: T.handle("float32", "global") = T.handle_add_byte_offset(workspace, 0)\n${use("b_1", "b", "        ")}`,
      sized(64),
    ),
  ));

test.each([
  ["in a parallel loop, of which each thread needs its own", "    for i in T.parallel(2):\n        a = T.allocate([16], \"float32\", \"global\")\n" + use("a_1", "a", "        ")],
  ["of a scope of its own", "    a = T.allocate([16], \"float32\", \"local\")\n    a_1 = T.Buffer((16,), \"float32\", data=a, scope=\"local\")\n    a_1[0] = A[0]\n"],
])("memory %s stays where it is", (_, body) => expectPass(liftWorkspace(), program(body)));
