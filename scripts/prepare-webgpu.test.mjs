import { expect, test } from "vitest";
import { chromium, driver, prepareWebgpu } from "./prepare-webgpu.mjs";

const debian = ["/usr/bin/apt-get", "/usr/lib"];
const everything = [chromium, driver, "/usr/lib/libvulkan.so.1.3.239"];

/** A machine with some files, on which `apt install` brings others; and what apt was told. */
function machine({ files = debian, brings = [], fails = {}, platform = "linux", uid = 0 }) {
  const present = new Set(files);
  const told = [];
  return {
    told,
    platform,
    uid,
    exists: (path) => present.has(path),
    list: (folder) => [...present].filter((f) => f.startsWith(`${folder}/`)).map((f) => f.slice(folder.length + 1)),
    apt(command) {
      told.push(command);
      if (fails[command] !== undefined) return fails[command];
      if (command === "install") for (const f of brings) present.add(f);
      return undefined;
    },
  };
}

test("nothing is installed where everything is there", () => {
  const m = machine({ files: [...debian, ...everything] });
  expect(prepareWebgpu(m)).toBeUndefined();
  expect(m.told).toEqual([]);
});

test("what is missing is installed", () => {
  const m = machine({ files: [...debian, chromium, driver], brings: everything });
  expect(prepareWebgpu(m)).toBeUndefined();
  expect(m.told).toEqual(["update", "install"]);
});

test.each([
  ["another system", { platform: "darwin" }, "this is no Debian", []],
  ["a system without apt", { files: ["/usr/lib"] }, "this is no Debian", []],
  ["a user who is not root", { uid: 1000 }, "installing them takes root", []],
  ["no network", { fails: { update: "Temporary failure resolving" } }, "Temporary failure resolving", ["update"]],
  ["a package that is not there", { fails: { install: "E: Unable to locate package chromium" } }, "E: Unable to locate package chromium", ["update", "install"]],
  ["packages without a driver", { brings: [chromium] }, "the packages brought none", ["update", "install"]],
])("%s is a reason", (_, given, reason, told) => {
  const m = machine(given);
  expect(prepareWebgpu(m)).toBe(reason);
  expect(m.told).toEqual(told);
});
