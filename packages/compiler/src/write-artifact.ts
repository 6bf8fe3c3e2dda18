import { randomUUID } from "node:crypto";
import { access, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { bundleStandalone } from "./bundle-standalone.ts";
import type { Executable } from "./compile.ts";

/** How an artifact is written. */
export interface WriteArtifactOptions {
  /** Put the runtime into the artifact's module, so that it needs no package where it is loaded. */
  readonly standalone?: boolean;
}

/**
 * Writes an artifact to a folder: into a new folder beside it first, which then takes its place, so that an
 * interrupted run leaves either the old artifact or the new one.
 * @throws Error if the folder is there and holds something else than an artifact.
 */
export async function writeArtifact(
  executable: Pick<Executable, "files" | "manifest">,
  folder: string,
  opts: WriteArtifactOptions = {},
): Promise<void> {
  const target = resolve(folder);
  await checkReplaceable(target);
  const files = opts.standalone === true ? await bundleStandalone(executable) : executable.files;
  // Not by `mkdtemp`: nobody but the owner may read what that makes, and artifacts are for servers to read.
  const fresh = join(dirname(target), `.${basename(target)}-${randomUUID()}`);
  await mkdir(fresh, { recursive: true });
  try {
    for (const [name, content] of files) await writeFile(join(fresh, name), content);
    const old = `${fresh}-old`;
    const replaced = await rename(target, old).then(
      () => true,
      () => false,
    );
    await rename(fresh, target);
    if (replaced) await rm(old, { recursive: true, force: true });
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    throw error;
  }
}

async function checkReplaceable(folder: string): Promise<void> {
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw new Error(`${folder} is not a folder that an artifact can be written to.`, { cause: error });
  });
  if (entries.length === 0) return;
  await access(join(folder, "artifact.json")).catch((cause: unknown) => {
    throw new Error(`${folder} holds something else than a compiled model, and is not replaced. Choose another folder, or remove it.`, { cause });
  });
}
