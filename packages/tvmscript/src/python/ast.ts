// The part of Python's syntax that TVMScript uses, as a tree. `start` and `end` are character offsets, half-open.

interface At {
  readonly start: number;
  readonly end: number;
}

export interface PyName extends At {
  readonly py: "Name";
  readonly id: string;
}

export interface PyInt extends At {
  readonly py: "Int";
  /** A `bigint` beyond the safe integers. */
  readonly value: number | bigint;
}

export interface PyFloat extends At {
  readonly py: "Float";
  readonly value: number;
}

export interface PyStr extends At {
  readonly py: "Str";
  readonly value: string;
}

/** `True`, `False`, `None` or `...`, which is undefined here. */
export interface PyConst extends At {
  readonly py: "Const";
  readonly value: boolean | null | undefined;
}

export interface PyAttribute extends At {
  readonly py: "Attribute";
  readonly value: PyExpr;
  readonly attr: string;
}

export interface PyKeyword extends At {
  /** Undefined for `**value`. */
  readonly name: string | undefined;
  readonly value: PyExpr;
}

export interface PyCall extends At {
  readonly py: "Call";
  readonly func: PyExpr;
  readonly args: readonly PyExpr[];
  readonly keywords: readonly PyKeyword[];
}

/** `value[indices]`; `a[()]` has none, `a[(i, j)]` has two. */
export interface PySubscript extends At {
  readonly py: "Subscript";
  readonly value: PyExpr;
  readonly indices: readonly (PyExpr | PySlice)[];
}

export interface PySlice extends At {
  readonly py: "Slice";
  readonly lower: PyExpr | undefined;
  readonly upper: PyExpr | undefined;
  readonly step: PyExpr | undefined;
}

export type PyBinaryOp = "+" | "-" | "*" | "/" | "//" | "%" | "**" | "<<" | ">>" | "&" | "|" | "^" | "@";
export type PyCompareOp = "<" | "<=" | ">" | ">=" | "==" | "!=" | "in" | "not in" | "is" | "is not";

export interface PyBinary extends At {
  readonly py: "Binary";
  readonly op: PyBinaryOp;
  readonly left: PyExpr;
  readonly right: PyExpr;
}

/** `and` or `or` of two operands. */
export interface PyBool extends At {
  readonly py: "Bool";
  readonly op: "and" | "or";
  readonly left: PyExpr;
  readonly right: PyExpr;
}

/** One comparison; `a < b < c` is `(a < b) and (b < c)`. */
export interface PyCompare extends At {
  readonly py: "Compare";
  readonly op: PyCompareOp;
  readonly left: PyExpr;
  readonly right: PyExpr;
}

export interface PyUnary extends At {
  readonly py: "Unary";
  readonly op: "-" | "+" | "~" | "not";
  readonly operand: PyExpr;
}

export interface PyIfExp extends At {
  readonly py: "IfExp";
  readonly test: PyExpr;
  readonly body: PyExpr;
  readonly orelse: PyExpr;
}

export interface PyLambda extends At {
  readonly py: "Lambda";
  /** Names; one that collects the rest starts with `*`. */
  readonly params: readonly string[];
  readonly body: PyExpr;
}

export interface PySequence extends At {
  readonly py: "Tuple" | "List";
  readonly items: readonly PyExpr[];
}

export interface PyDict extends At {
  readonly py: "Dict";
  readonly entries: readonly (readonly [key: PyExpr, value: PyExpr])[];
}

export interface PyStarred extends At {
  readonly py: "Starred";
  readonly value: PyExpr;
}

/** Python that is read over but has no meaning here, such as a comprehension. */
export interface PyOther extends At {
  readonly py: "Other";
  readonly what: string;
}

export type PyExpr =
  | PyName
  | PyInt
  | PyFloat
  | PyStr
  | PyConst
  | PyAttribute
  | PyCall
  | PySubscript
  | PyBinary
  | PyBool
  | PyCompare
  | PyUnary
  | PyIfExp
  | PyLambda
  | PySequence
  | PyDict
  | PyStarred
  | PyOther;

export interface PyParam extends At {
  readonly name: string;
  readonly annotation: PyExpr | undefined;
  readonly default: PyExpr | undefined;
  /** Set for what collects the rest: `*args`, `**kwargs`. */
  readonly rest: "args" | "kwargs" | undefined;
  /** True for what stands behind a `*`: it is given by name only. */
  readonly keywordOnly: boolean;
}

/** A type parameter of a function. */
export interface PyTypeParam extends At {
  readonly name: string;
  readonly bound: PyExpr | undefined;
}

export interface PyFunctionDef extends At {
  readonly py: "FunctionDef";
  readonly name: string;
  readonly nameStart: number;
  /** `def f[n, m: int](…)`: names with what they are bound by. */
  readonly typeParams: readonly PyTypeParam[];
  readonly params: readonly PyParam[];
  readonly returns: PyExpr | undefined;
  readonly body: readonly PyStmt[];
  readonly decorators: readonly PyExpr[];
}

export interface PyClassDef extends At {
  readonly py: "ClassDef";
  readonly name: string;
  readonly body: readonly PyStmt[];
  readonly decorators: readonly PyExpr[];
}

export interface PyAssign extends At {
  readonly py: "Assign";
  /** `a = b = value` has two targets. */
  readonly targets: readonly PyExpr[];
  readonly value: PyExpr;
}

export interface PyAnnAssign extends At {
  readonly py: "AnnAssign";
  readonly target: PyExpr;
  readonly annotation: PyExpr;
  readonly value: PyExpr | undefined;
}

export interface PyAugAssign extends At {
  readonly py: "AugAssign";
  readonly target: PyExpr;
  readonly op: PyBinaryOp;
  readonly value: PyExpr;
}

export interface PyExprStmt extends At {
  readonly py: "ExprStmt";
  readonly value: PyExpr;
}

export interface PyFor extends At {
  readonly py: "For";
  readonly target: PyExpr;
  readonly iter: PyExpr;
  readonly body: readonly PyStmt[];
}

export interface PyWhile extends At {
  readonly py: "While";
  readonly test: PyExpr;
  readonly body: readonly PyStmt[];
}

export interface PyIf extends At {
  readonly py: "If";
  readonly test: PyExpr;
  readonly body: readonly PyStmt[];
  readonly orelse: readonly PyStmt[];
}

export interface PyWith extends At {
  readonly py: "With";
  readonly items: readonly { readonly context: PyExpr; readonly target: PyExpr | undefined }[];
  readonly body: readonly PyStmt[];
}

export interface PyAssert extends At {
  readonly py: "Assert";
  readonly test: PyExpr;
  readonly message: PyExpr | undefined;
}

export interface PyReturn extends At {
  readonly py: "Return";
  readonly value: PyExpr | undefined;
}

export interface PyPass extends At {
  readonly py: "Pass";
}

/** `import …` and `from … import …`. */
export interface PyImport extends At {
  readonly py: "Import";
  /** Dotted path of what is imported and the name it gets. */
  readonly names: readonly (readonly [path: string, as: string])[];
}

/** A statement that is read over but has no meaning here, such as `try`. */
export interface PyOtherStmt extends At {
  readonly py: "OtherStmt";
  readonly what: string;
}

export type PyStmt =
  | PyFunctionDef
  | PyClassDef
  | PyAssign
  | PyAnnAssign
  | PyAugAssign
  | PyExprStmt
  | PyFor
  | PyWhile
  | PyIf
  | PyWith
  | PyAssert
  | PyReturn
  | PyPass
  | PyImport
  | PyOtherStmt;
