export { childRunner, type ChildRunnerOptions } from "./measure/child-runner.ts";
export { serveBuilds } from "./measure/serve-builds.ts";
export { threadBuilder, type ThreadBuilder, type ThreadBuilderOptions } from "./measure/thread-builder.ts";
export { sqliteDatabase } from "./database/sqlite-database.ts";
