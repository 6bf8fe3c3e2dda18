import { library } from "../../tsup.shared.ts";

export default library({ index: "src/index.ts", dpl: "src/dpl/index.ts", nn: "src/nn/index.ts" });
