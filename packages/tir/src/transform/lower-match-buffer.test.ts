import { expect, test } from "vitest";
import { lowerMatchBuffer } from "./lower-match-buffer.ts";
import { expectPass, runOn } from "./testing/expect-pass.ts";

const program = (match: string, store: string): string => `
@T.prim_func
def main(A: T.Buffer((16, 16), "float32")):
    for i in range(4):
        with T.block(""):
            T.reads()
            T.writes(A[i * 4:i * 4 + 4, 0:16])
            ${match}
            ${store}
`;

test("accesses go to the source, and the free variables of the match get their values", () => {
  expectPass(
    lowerMatchBuffer(),
    `
@T.prim_func
def main(A: T.Buffer((16, 16), "float32")):
    for i in range(4):
        with T.block(""):
            T.reads()
            T.writes(A[i * 4:i * 4 + 4, 0:16])
            s = T.int32()
            W = T.match_buffer(A[i * 4:i * 4 + 4, 0:16], (4, 16), strides=[s, 1], offset_factor=1)
            W[1, 2] = T.Cast("float32", s)
`,
    program("", `A[i * 4 + 1, 2] = T.Cast("float32", 16)`),
  );
});

test("a match of another shape is refused by name", () => {
  const script = program(`W = T.match_buffer(A[i * 4:i * 4 + 4, 0:16], (8, 16), offset_factor=1)`, "W[0, 0] = T.float32(0)");
  expect(() => runOn(lowerMatchBuffer(), script)).toThrow("Buffer `W` cannot stand for the region of `A`: the size of dimension 0");
});

test("a match that says it starts at 0 is refused where it does not", () => {
  const script = program(`W = T.match_buffer(A[i * 4:i * 4 + 4, 0:16], (4, 16), elem_offset=0)`, "W[0, 0] = T.float32(0)");
  expect(() => runOn(lowerMatchBuffer(), script)).toThrow("the offset is not known to be the same");
});
