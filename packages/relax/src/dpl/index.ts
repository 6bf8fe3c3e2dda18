export {
  and,
  hasAttr,
  hasDtype,
  hasShape,
  hasStructInfo,
  isCall,
  isCallDPSPacked,
  isCallPacked,
  isCallTIR,
  isConst,
  isDataflowVar,
  isExpr,
  isExternFunc,
  isFunction,
  isGlobalVar,
  isOp,
  isShape,
  isTuple,
  isTupleGetItem,
  isVar,
  makeFusedBiasActivationPattern,
  not,
  or,
  wildcard,
  type CallPattern,
  type CallPatternOptions,
  type DFPattern,
} from "./pattern.ts";
export { extractMatchedExpr, matchExpr, type Bindings, type Matches } from "./match-expr.ts";
export { duplicate, forkTo, onlyUsedBy, patternContext, sameShape, usedBy, type PatternContext, type PatternEdge, type PatternSeq, type SameShape } from "./pattern-context.ts";
export { matchDfb, type GraphMatch } from "./match-dfb.ts";
export { PatternMatchingRewriter, rewriteBindings, rewriteCall, type RewriteOptions } from "./pattern-matching-rewriter.ts";
export type { GraphRewriter, MatchRewriter, RewriteContext } from "./rewrite-spec.ts";
