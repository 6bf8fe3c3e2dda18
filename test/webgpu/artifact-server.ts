import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A server on this machine for the files of a test, which pages can send bytes back to. */
export interface ArtifactServer {
  readonly origin: string;
  /** What was sent to `/result/NAME`, by name. */
  readonly results: ReadonlyMap<string, Uint8Array>;
  close(): Promise<void>;
}

const TYPES: Readonly<Record<string, string>> = { js: "text/javascript", html: "text/html", json: "application/json" };

/** Serves files by path, without their leading slash, each with `headers`. */
export async function serveArtifacts(files: ReadonlyMap<string, Uint8Array | string>, headers: Readonly<Record<string, string>> = {}): Promise<ArtifactServer> {
  const results = new Map<string, Uint8Array>();
  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? "/").slice(1));
    if (request.method === "POST" && path.startsWith("result/")) {
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        results.set(path.slice("result/".length), Buffer.concat(parts));
        response.end();
      });
      return;
    }
    const content = files.get(path === "" ? "index.html" : path);
    if (content === undefined) response.writeHead(404).end();
    else response.writeHead(200, { ...headers, "content-type": TYPES[path.split(".").at(-1) ?? ""] ?? (path === "" ? "text/html" : "application/octet-stream") }).end(content);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    results,
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}
