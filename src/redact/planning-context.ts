import type { BodyRedactor } from './bodies.ts';
import type { HeadRedactor } from './heads.ts';
import type { StreamLayout } from './layout.ts';
import type { RedactionPlan } from './plan.ts';
import type { RedactionLimits } from './redact-limits.ts';
import type { RedactionRules } from './rules.ts';

/** What the planners of all directions share. */
export interface PlanningContext {
  readonly rules: RedactionRules;
  readonly heads: HeadRedactor;
  readonly bodies: BodyRedactor;
  readonly layout: StreamLayout;
  readonly limits: RedactionLimits;
  /** null: secrets are only collected, nothing is planned yet. */
  readonly plan: RedactionPlan | null;
  /** Bytes of bodies that are held now, all together. */
  structureBytes: number;
}
