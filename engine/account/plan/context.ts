/** What every step of a plan needs to know. */
import type { Rules } from '../rules.js';
import type { AccountSettings } from '../settings.js';
import type { SqlConnection } from '../store/connection.js';

export interface PlanContext {
  readonly db: SqlConnection;
  /** Keys of the source and of its run that is planned. */
  readonly source: number;
  readonly run: number;
  /** Was the run complete? If not, nothing is taken from anybody: no member, no alias, no value. */
  readonly complete: boolean;
  /**
   * Did the run before leave the account as this source and these settings want it, but for what is `open`? Then only what
   * changed since has to be looked at.
   */
  readonly settled: boolean;
  readonly settings: AccountSettings;
  readonly rules: Rules;
  /** May who is not there be marked, and taken away? Only after a complete full run, with no source that pauses it. */
  readonly removals: boolean;
  /** Of a held run, only what takes nothing away: nobody is disabled either. */
  readonly additionsOnly: boolean;
  /** Attributes that were asked for, in lower case; null: not known. What was not asked for is not empty. */
  readonly asked: ReadonlySet<string> | null;
  /** Does every object that is there say no more than the account takes? */
  readonly allTaken: boolean;
  /** Is the reading in doubt, and this plan only what may be believed of it? Known people keep their addresses and states. */
  readonly cautious: boolean;
  /** When the run was applied, ISO 8601: what the grace period is measured with. */
  readonly at: string;
}

/** SQL has no booleans that both dialects agree on. */
export const flag = (value: boolean): number => (value ? 1 : 0);
