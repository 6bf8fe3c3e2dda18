import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cli, scratchFolder } from "../testing/cli.ts";
import { layer } from "../testing/small-model.ts";

let folder = "";
let remove = async (): Promise<void> => {};
let kernel = "";
const at = (name: string): string => join(folder, name);
const compare = (...args: readonly string[]): ReturnType<typeof cli> => cli(["compare", at("layer.onnx"), ...args]);

beforeAll(async () => {
  ({ path: folder, remove } = await scratchFolder());
  await writeFile(at("layer.onnx"), layer());
  const { err } = await compare("--show", "something");
  kernel = /it has `(\w+)`/.exec(err)?.[1] ?? "";
  const { out } = await compare("--show", kernel);
  await writeFile(at("same.py"), out);
  await writeFile(at("wrong.py"), out.replace("T.max(", "T.min("));
  await writeFile(at("narrow.py"), out.replaceAll('(T.int64(1), T.int64(4)), "float32"', '(T.int64(1), T.int64(5)), "float32"'));
});

afterAll(() => remove());

test("a kernel's own program in its place changes nothing", async () => {
  const { code, out } = await compare("--replace", `${kernel}=${at("same.py")}`);
  expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining("values agree") });
});

test("a wrong program on one target is named", async () => {
  const { code, out } = await compare("--replace", `wasm:${kernel}=${at("wrong.py")}`);
  expect(code).toBe(1);
  expect(out).toContain(`made by \`${kernel}\` on wasm`);
});

test("the same wrong program on all targets is no difference", async () => {
  expect((await compare("--replace", `${kernel}=${at("wrong.py")}`)).code).toBe(0);
});

test.each([
  ["another target", () => [`webgpu:${kernel}=${at("same.py")}`], 2, "`webgpu` is none of the targets"],
  ["a kernel that is not there", () => [`other=${at("same.py")}`], 1, "There is no kernel `other`"],
  ["a program that takes other buffers", () => [`${kernel}=${at("narrow.py")}`], 1, "is not the buffer that the kernel takes"],
  ["a file that is not there", () => [`${kernel}=${at("none.py")}`], 2, "There is no file"],
  ["no pair", () => ["same.py"], 2, "--replace webgpu:fused_add=add.py"],
])("%s is refused", async (_, value, exit, message) => {
  const { code, err } = await compare("--replace", ...value());
  expect({ code, err }).toEqual({ code: exit, err: expect.stringContaining(message) });
});

test("kernels are not replaced where outputs are compared", async () => {
  const { code, err } = await compare("--replace", `${kernel}=${at("same.py")}`, "--against", "ref.npz");
  expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining("give one of them") });
});
