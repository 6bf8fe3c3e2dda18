import { Option, type Command } from "commander";
import type { Spelling } from "@verticil/tvmscript";

/** What the commands on scripts have in common. */
export interface ScriptOptions {
  /** Whose names the scripts are written in. */
  readonly dialect: Spelling;
  readonly json?: boolean;
}

/** Adds `--dialect v0.20|main`. */
export function addDialectOption(command: Command): Command {
  return command.addOption(new Option("--dialect <name>", "whose names the scripts are written in").choices(["v0.20", "main"]).default("v0.20"));
}
