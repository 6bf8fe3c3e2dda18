import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { Executable } from "./compile.ts";

/**
 * Writes an artifact to a folder: into a new folder beside it first, which then takes its place, so that an
 * interrupted run leaves either the old artifact or the new one.
 */
export async function writeArtifact(executable: Pick<Executable, "files">, folder: string): Promise<void> {
  const target = resolve(folder);
  await mkdir(dirname(target), { recursive: true });
  const fresh = await mkdtemp(join(dirname(target), `.${basename(target)}-`));
  try {
    for (const [name, content] of executable.files) await writeFile(join(fresh, name), content);
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
