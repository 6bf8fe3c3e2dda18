/** Whose names are written: TVM v0.20's, or those of its main branch since then. */
export type Spelling = "v0.20" | "main";

/** What is called differently: an import, a name behind a prefix, a keyword argument, a name in a string, a type of metadata. */
type Renamed = "module" | "member" | "keyword" | "attribute" | "text-prefix" | "metadata";

/** A thing of a dialect, its name in v0.20 and its name on main. */
interface Row {
  readonly what: Renamed;
  /** The dialect's name. */
  readonly dialect: string;
  readonly v020: string;
  readonly main: string;
  /** A further name on main that is understood but not written. */
  readonly readOnly?: true;
}

function rows(what: Renamed, dialect: string, names: Readonly<Record<string, string>>): readonly Row[] {
  return Object.entries(names).map(([v020, main]) => ({ what, dialect, v020, main }));
}

function synonyms(dialect: string, names: Readonly<Record<string, string>>): readonly Row[] {
  return Object.entries(names).map(([main, v020]) => ({ what: "member", dialect, v020, main, readOnly: true }));
}

/**
 * The correspondence of names between TVM v0.20 and main (0.27), whole: nothing else knows both.
 *
 * Where the same name means another thing, both rows are there: `T.alloc_buffer` of v0.20 is `T.sblock_alloc_buffer`,
 * and `T.alloc_buffer` of main is what v0.20 writes as `T.decl_buffer` without `data`.
 */
const TABLE: readonly Row[] = [
  ...rows("module", "tir", { tir: "tirx" }),
  ...rows("member", "tir", {
    block: "sblock",
    block_attr: "sblock_attr",
    alloc_buffer: "sblock_alloc_buffer",
    LetStmt: "bind",
  }),
  ...synonyms("tir", {
    alloc_buffer: "decl_buffer",
    Bind: "LetStmt",
    f16: "float16",
    bf16: "bfloat16",
    f32: "float32",
    f64: "float64",
    i8: "int8",
    i16: "int16",
    i32: "int32",
    i64: "int64",
    u8: "uint8",
    u16: "uint16",
    u32: "uint32",
    u64: "uint64",
  }),
  ...rows("text-prefix", "tir", { "tir.": "tirx." }),
  ...rows("member", "relax", { Object: "Any", emit_with_sinfo: "emit_with_ty", func_ret_struct_info: "func_ret_ty" }),
  ...synonyms("relax", { emit_with_type: "emit_with_sinfo", func_ret_type: "func_ret_struct_info" }),
  ...rows("keyword", "relax", { out_sinfo: "out_ty", sinfo_args: "ty_args" }),
  ...rows("metadata", "tir", { "tir.StringImm": "ir.StringImm" }),
  ...rows("metadata", "relax", { "relax.expr.Constant": "ir.GenericConst" }),
  ...rows("metadata", "ir", { "runtime.String": "ffi.String", "runtime.NDArray": "ffi.Tensor" }),
  ...rows("attribute", "relax", { struct_info: "ty" }),
];

function index(what: Renamed, from: "v020" | "main"): ReadonlyMap<string, string> {
  const out = new Map<string, string>();
  for (const row of TABLE) {
    if (row.what !== what || (from === "v020" && row.readOnly === true)) continue;
    out.set(`${row.dialect} ${row[from]}`, from === "v020" ? row.main : row.v020);
  }
  return out;
}

const WRITTEN: Readonly<Record<Renamed, ReadonlyMap<string, string>>> = {
  module: index("module", "v020"),
  member: index("member", "v020"),
  keyword: index("keyword", "v020"),
  attribute: index("attribute", "v020"),
  "text-prefix": index("text-prefix", "v020"),
  metadata: index("metadata", "v020"),
};

const READ: Readonly<Record<Renamed, ReadonlyMap<string, string>>> = {
  module: index("module", "main"),
  member: index("member", "main"),
  keyword: index("keyword", "main"),
  attribute: index("attribute", "main"),
  "text-prefix": index("text-prefix", "main"),
  metadata: index("metadata", "main"),
};

/** How a name of v0.20 is written in `spelling`. */
export function writtenName(spelling: Spelling, what: Renamed, dialect: string, name: string): string {
  return spelling === "v0.20" ? name : (WRITTEN[what].get(`${dialect} ${name}`) ?? name);
}

/** The name of v0.20 for one that was read in `spelling`. */
export function readName(spelling: Spelling, what: Renamed, dialect: string, name: string): string {
  return spelling === "v0.20" ? name : (READ[what].get(`${dialect} ${name}`) ?? name);
}

const METADATA: ReadonlyMap<string, string> = new Map(TABLE.flatMap((r) => (r.what === "metadata" ? [[r.v020, r.main]] : [])));

/** How a type of metadata is written in `spelling`. */
export function writtenMetadataKey(spelling: Spelling, key: string): string {
  return spelling === "v0.20" ? key : (METADATA.get(key) ?? key);
}

const PREFIXES = TABLE.filter((r) => r.what === "text-prefix");

/** Lines that main's printer writes below a dialect's import. */
const FURTHER_IMPORTS: Readonly<Record<string, string>> = { tir: "from tvm.tirx.layout import Axis" };

/** The line below a dialect's import; undefined for none. */
export function furtherImport(spelling: Spelling, dialect: string): string | undefined {
  return spelling === "v0.20" ? undefined : FURTHER_IMPORTS[dialect];
}

/** An operator's or attribute's name, as in `"tir.noalias"`, in `spelling`. */
export function writtenText(spelling: Spelling, text: string): string {
  if (spelling === "v0.20") return text;
  const row = PREFIXES.find((r) => text.startsWith(r.v020));
  return row === undefined ? text : row.main + text.slice(row.v020.length);
}

/** An operator's or attribute's name that was read in `spelling`, as v0.20 has it. */
export function readText(spelling: Spelling, text: string): string {
  if (spelling === "v0.20") return text;
  const row = PREFIXES.find((r) => text.startsWith(r.main));
  return row === undefined ? text : row.v020 + text.slice(row.main.length);
}

/** The prefixes of TVM's own dialects by the dialects' names. No variable is called so, whether they are used or not. */
const STANDARD_PREFIXES: Readonly<Record<string, string>> = { ir: "I", tir: "T", relax: "R" };

/** The prefixes of TVM's own dialects, or what `given` has for them. */
export function standardPrefixes(given: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(STANDARD_PREFIXES).map(([dialect, prefix]) => given[dialect] ?? prefix);
}
