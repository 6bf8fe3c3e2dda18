import { host, type NodeFiles } from "./host.ts";

/**
 * An open file of Node that is read at positions, by the system's threads. It is plain `node:fs`, whose first use takes a
 * third of the time of `node:fs/promises`.
 */
export class FileReads {
  readonly bytes: number;
  readonly #fs: NodeFiles;
  readonly #file: number;
  readonly #pending = new Set<Promise<boolean>>();

  private constructor(fs: NodeFiles, file: number) {
    this.#fs = fs;
    this.#file = file;
    this.bytes = fs.fstatSync(file).size;
  }

  /** Opens a file; undefined where the host reads none. @throws what the host throws for a file that it cannot open. */
  static open(file: string | URL): FileReads | undefined {
    const fs = host.process?.getBuiltinModule?.("node:fs");
    return fs === undefined ? undefined : new FileReads(fs, fs.openSync(file));
  }

  /** Reads at once; returns how many bytes there were. */
  readNow(view: Uint8Array, position: number): number {
    return this.#fs.readSync(this.#file, view, 0, view.byteLength, position);
  }

  /** Begins to fill the views, in order, from a position; false if that fails or the file ends before. */
  read(views: readonly Uint8Array[], position: number): Promise<boolean> {
    const bytes = views.reduce((sum, v) => sum + v.byteLength, 0);
    if (bytes === 0) return Promise.resolve(true);
    const filled = new Promise<boolean>((done) => this.#fs.readv(this.#file, views, position, (error, read) => done(error === null && read === bytes)));
    this.#pending.add(filled);
    void filled.then(() => this.#pending.delete(filled));
    return filled;
  }

  /** Closes the file when what was begun is done. */
  async close(): Promise<void> {
    await Promise.all(this.#pending);
    this.#fs.closeSync(this.#file);
  }
}
