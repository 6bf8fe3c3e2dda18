import { host } from "./host.ts";

/** Bytes that are hashed sooner than another thread would take them. */
const FEW = 2 ** 18;

/**
 * The SHA-256 of `bytes` in hexadecimal; undefined where the host has no Web Crypto (a page that is not served
 * securely).
 */
export async function sha256(bytes: Uint8Array): Promise<string | undefined> {
  // Half of what Node's Web Crypto takes for its first hash.
  const crypto = bytes.byteLength <= FEW ? host.process?.getBuiltinModule?.("node:crypto") : undefined;
  if (crypto !== undefined) return crypto.createHash("sha256").update(bytes).digest("hex");
  const subtle = host.crypto?.subtle;
  if (subtle === undefined) return undefined;
  const digest = new Uint8Array(await subtle.digest("SHA-256", bytes));
  return Array.from(digest, (b) => b.toString(16).padStart(2, "0")).join("");
}
