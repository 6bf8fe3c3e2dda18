/** Whose names are written: TVM v0.20's, or those of its main branch since then. */
export type Spelling = "v0.20" | "main";
