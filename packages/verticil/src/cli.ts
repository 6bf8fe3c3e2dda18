#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { runCli } from "./run-cli.ts";
import { processTerminal } from "./terminal.ts";

// An interrupt ends the process at once, as it does where nobody listens: compiling leaves no time to hear it. What must
// not be cut short, or wants to end in its own way, asks for it (`Terminal.uninterrupted`, `Terminal.interruptible`).
// Output into a closed pipe, as with `| head`, is no error.
process.stdout.on("error", () => process.exit(0));
const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
const code = await runCli(process.argv.slice(2), processTerminal(process), version);
// An interrupt that a command heard has set its own.
process.exitCode ??= code;
