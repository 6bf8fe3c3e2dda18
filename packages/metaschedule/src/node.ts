export { childRunner, type ChildRunnerOptions } from "./measure/child-runner.ts";
export { sqliteDatabase } from "./database/sqlite-database.ts";
