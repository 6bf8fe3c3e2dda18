// Names that both dialects have are told apart here.
export { cast, constant, isPrimExpr, makeVar as makeTirVar, type PrimExpr, type AnyVar as TirVar } from "@verticil/tir";
