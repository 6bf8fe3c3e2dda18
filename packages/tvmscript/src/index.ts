export { parse, parseFunction, parseModules, type ParseOptions, type ScriptModule } from "./parse/parse.ts";
export { ParseContext, ScriptFailure } from "./parse/context.ts";
export {
  CallArgs,
  describeValue,
  isDict,
  isInt,
  isList,
  membersOf,
  ScriptFloat,
  ScriptFunction,
  ScriptLambda,
  ScriptNamespace,
  ScriptObject,
  ScriptRange,
  ScriptSlice,
  ScriptTensor,
  type ScriptDict,
  type ScriptMembers,
  type ScriptValue,
  type Site,
} from "./parse/values.ts";
export { print } from "./print/print.ts";
export { toIdentifier as toPythonName } from "./print/name-supply.ts";
export { isStmts, PrintFrame, Printer } from "./print/printer.ts";
export { type PrintConfig, type PrintOptions } from "./print/config.ts";
export {
  type FunctionParser,
  type Operators,
  type Printed,
  type PrintHandler,
  type PrintTable,
  type ScriptDialect,
} from "./dialect.ts";
export { irScript, toAttr, toAttrMap, toFunctionAttrs } from "./ir-script.ts";
export { MetadataTable } from "./metadata.ts";
export { scriptDiagnostics } from "./diagnostics.ts";
export { roundTripInstrument } from "./round-trip.ts";
export { readText, writtenText, type Spelling } from "./spelling.ts";
export {
  assertDoc,
  assignDoc,
  attrDoc,
  binaryDoc,
  boolDoc,
  callDoc,
  commentDoc,
  dictDoc,
  exprStmtDoc,
  floatDoc,
  forDoc,
  formatFloat,
  idDoc,
  ifDoc,
  indexDoc,
  intDoc,
  lambdaDoc,
  listDoc,
  noneDoc,
  returnDoc,
  scopeDoc,
  sliceDoc,
  strDoc,
  tupleDoc,
  unaryDoc,
  whileDoc,
  type AssignDoc,
  type BinaryOperator,
  type ExprDoc,
  type SliceDoc,
  type TextDoc,
  type StmtDoc,
} from "./doc/doc.ts";
export { printExprDoc } from "./doc/print-doc.ts";
export { readPython } from "./python/read.ts";
export {
  type PyExpr,
  type PyFunctionDef,
  type PyParam,
  type PyStmt,
} from "./python/ast.ts";
