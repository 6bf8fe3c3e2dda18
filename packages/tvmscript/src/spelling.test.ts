import { expect, test } from "vitest";
import { readName, readText, writtenName, writtenText } from "./spelling.ts";

test("v0.20 is what things are called inside", () => {
  expect(readName("v0.20", "member", "tir", "block")).toBe("block");
  expect(writtenName("v0.20", "keyword", "relax", "out_sinfo")).toBe("out_sinfo");
});

test.each([
  ["member", "tir", "block", "sblock"],
  ["member", "tir", "alloc_buffer", "sblock_alloc_buffer"],
  ["member", "relax", "Object", "Any"],
  ["keyword", "relax", "out_sinfo", "out_ty"],
  ["module", "tir", "tir", "tirx"],
] as const)("%s %s.%s is %s on main", (what, dialect, v020, main) => {
  expect(writtenName("main", what, dialect, v020)).toBe(main);
  expect(readName("main", what, dialect, main)).toBe(v020);
});

test("a name that means something else on main is read as what it means there", () => {
  expect(readName("main", "member", "tir", "alloc_buffer")).toBe("decl_buffer");
  expect(writtenName("main", "member", "tir", "decl_buffer")).toBe("decl_buffer");
});

test("names in strings change with the dialect's own name", () => {
  expect(writtenText("main", "tir.noalias")).toBe("tirx.noalias");
  expect(readText("main", "tirx.noalias")).toBe("tir.noalias");
  expect(readText("main", "relax.force_pure")).toBe("relax.force_pure");
});
