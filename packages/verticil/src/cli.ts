#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { runCli } from "./run-cli.ts";
import { processTerminal } from "./terminal.ts";

const abort = new AbortController();
process.once("SIGINT", () => {
  abort.abort();
  // A second one ends the process at once.
  process.once("SIGINT", () => process.exit(130));
});
// Output into a closed pipe, as with `| head`, is no error.
process.stdout.on("error", () => process.exit(0));
const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
process.exitCode = await runCli(process.argv.slice(2), processTerminal(process), abort.signal, version);
