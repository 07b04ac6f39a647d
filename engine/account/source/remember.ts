/** What is kept of a source, for its next run to be compared with. */
import { digestOf } from '../../model/canonical.js';
import type { ReadScope, Run, Seal } from '../../model/run.js';
import { flag } from '../plan/context.js';
import { type AccountSettings, settingsDigest } from '../settings.js';
import type { SqlConnection } from '../store/connection.js';
import type { Reading } from './reading.js';

/** Settings and what was read: a run under others is looked at before it removes anything. */
export function configOf(settings: AccountSettings, seal: Seal): string {
  const settled = settingsDigest(settings);
  const bases = new Set((seal.proof?.searches ?? []).map(({ base }) => base));
  return digestOf({ settled, bases: [...bases].sort() });
}

/** With what a run leaves the account settled: only under the same is it enough to look at what changed. */
export function settledWith(settings: AccountSettings, { scope }: Reading): string {
  return digestOf({ settings: settingsDigest(settings), scope: scope?.digest ?? null });
}

/** The token goes with the data, in one transaction: the next delta starts where this run ended, or not at all. */
export async function rememberSource(
  db: SqlConnection,
  what: {
    run: Run;
    key: number;
    source: number;
    seal: Seal;
    at: string;
    settled: string | null;
    config: string | null;
    reading: string | null;
    scopes: readonly ReadScope[];
  },
): Promise<void> {
  const { run, key, source, seal, settled, config, reading, scopes, at } = what;
  await db.run(
    `UPDATE source SET started_at = ?2, last_run = ?3, settled = ?4, token = coalesce(?5, token),
       config = coalesce(?6, config), failing = ?7, heard_at = ?8, reading = coalesce(?9, reading), scopes = ?10
     WHERE key = ?1`,
    [
      source,
      run.startedAt,
      key,
      settled,
      seal.complete && seal.token ? JSON.stringify(seal.token) : null,
      config,
      flag(!seal.complete),
      at,
      reading,
      JSON.stringify(scopes),
    ],
  );
}
