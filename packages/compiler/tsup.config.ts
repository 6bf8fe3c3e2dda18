import { library } from "../../tsup.shared.ts";

export default library({ index: "src/index.ts", node: "src/node.ts" }, { "build-worker": "src/tuning/build-worker.ts" });
