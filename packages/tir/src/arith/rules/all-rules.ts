import { addRules } from "./add-rules.ts";
import { eqRules, ltRules } from "./compare-rules.ts";
import { divRules, modRules } from "./div-rules.ts";
import { floorDivRules, floorModRules } from "./floor-div-rules.ts";
import { andRules, notRules, orRules, selectArithRules, selectRules } from "./logic-rules.ts";
import { maxRules, minRules } from "./min-max-rules.ts";
import { mulRules } from "./mul-rules.ts";
import type { RuleRow } from "./rule.ts";
import { subRules } from "./sub-rules.ts";
import { vectorLogicRules, vectorRules } from "./vector-rules.ts";

/** Rules for values of index type (int32 and int64), where overflow is taken not to happen. In the order they are tried. */
export const indexRules: readonly RuleRow[] = [
  ...addRules,
  ...subRules,
  ...mulRules,
  ...divRules,
  ...modRules,
  ...floorDivRules,
  ...floorModRules,
  ...minRules,
  ...maxRules,
  ...selectArithRules,
];

/** Rules for vectors of index type. */
export const indexVectorRules: readonly RuleRow[] = vectorRules;

/** Rules for truth values, comparisons of index type among them. */
export const logicRules: readonly RuleRow[] = [...eqRules, ...ltRules, ...notRules, ...andRules, ...orRules, ...vectorLogicRules];

/** Rules that hold for values of any type. */
export const anyTypeRules: readonly RuleRow[] = selectRules;
