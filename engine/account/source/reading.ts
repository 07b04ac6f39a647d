/**
 * What the reader of a source said that it would read, and what came of it, compared with the last run that the account took
 * whole. A directory leaves out what may not be read and says nothing of it: an attribute that vanishes looks like values
 * that were emptied, and another reader under the same name like people who left.
 */
import type { Warning } from '../../model/report.js';
import type { Brought, ReadScope, Seal } from '../../model/run.js';
import { type SqlConnection, textOrNull } from '../store/connection.js';

/** What a seal says of the reading; null where its sender does not say it. */
export interface Reading {
  readonly scope: ReadScope | null;
  readonly brought: Brought | null;
}

/** A source before a run. */
export interface SourceBefore {
  /** With what the last run was settled (see {@link settledWith}); null: it was not complete. */
  readonly settled: string | null;
  readonly config: string | null;
  /** Of the last complete run that was committed. */
  readonly reading: Reading;
  /** The scopes of the last runs, each once for as long as it stayed the same, the newest last. */
  readonly heard: readonly ReadScope[];
}

/** What is strange about a reading. `lost` attributes may not be believed to be empty, `shared` sources not to be whole. */
export interface Doubts {
  readonly lost: readonly Warning[];
  readonly shared: Warning | null;
}

export const NO_DOUBTS: Doubts = { lost: [], shared: null };
const SCOPES_KEPT = 4;
/** Values on fewer objects than this may all go in a day without meaning anything. */
const LEAST_VALUES = 10;

export async function sourceBefore(db: SqlConnection, source: number): Promise<SourceBefore> {
  const [row] = await db.query('SELECT settled, config, reading, scopes FROM source WHERE key = ?1', [source]);
  return {
    settled: textOrNull(row, 'settled'),
    config: textOrNull(row, 'config'),
    reading: parseReading(textOrNull(row, 'reading')),
    heard: JSON.parse(textOrNull(row, 'scopes') ?? '[]') as ReadScope[],
  };
}

/** A reading as it is kept. */
export function parseReading(stored: string | null): Reading {
  return stored === null ? { scope: null, brought: null } : (JSON.parse(stored) as Reading);
}

export function readingOf({ scope, brought }: Seal): Reading {
  return { scope: scope ?? null, brought: brought ?? null };
}

/** The scopes heard of, with that of one more run. */
export function heardWith(heard: readonly ReadScope[], { scope }: Reading): readonly ReadScope[] {
  if (scope === null || heard.at(-1)?.digest === scope.digest) return heard;
  return [...heard, scope].slice(-SCOPES_KEPT);
}

/**
 * The reading to compare the next one with, as it is kept, when a run was taken whole. What is known of attributes that it
 * was not asked for stays: they may be asked for again. Null: nothing new is known.
 */
export function keptReading(before: Reading, now: Reading): string | null {
  if (now.brought === null) return null;
  const asked = askedOf(now);
  const others = Object.entries(before.brought?.attributes ?? {}).filter(([name]) => !asked?.has(name.toLowerCase()));
  const attributes = { ...Object.fromEntries(others), ...now.brought.attributes };
  return JSON.stringify({ scope: now.scope, brought: { objects: now.brought.objects, attributes } });
}

/** What has to be doubted of a whole run. */
export function doubtsOf(before: SourceBefore, now: Reading, source: string): Doubts {
  return { lost: lostAttributes(before.reading.brought, now.brought), shared: sharedSource(before, now, source) };
}

/**
 * Attributes that were asked for and had values on ten objects or more, and bring now less than a tenth of that: in number, and
 * as a share of the objects that came, so that neither a source that shrinks nor one that grows is a loss.
 */
function lostAttributes(before: Brought | null, now: Brought | null): Warning[] {
  if (before === null || now === null) return [];
  const counts = new Map(Object.entries(now.attributes).map(([name, count]) => [name.toLowerCase(), count]));
  return Object.entries(before.attributes).flatMap(([name, had]): Warning[] => {
    const has = counts.get(name.toLowerCase());
    if (has === undefined || had < LEAST_VALUES) return [];
    if (has * 10 >= had || has * before.objects * 10 >= had * now.objects) return [];
    const message = `The attribute ${name} came with a value for ${String(has)} of ${String(now.objects)} objects, in the last run for ${String(had)} of ${String(before.objects)}. Was a right to read it lost? Look at the rights of "user" of the directory server. If it was emptied on purpose, approve the plan.`;
    return [{ code: 'ATTRIBUTE_LOST', message }];
  });
}

/** A scope that was there before, and another one in between: two readers take turns. */
function sharedSource({ heard }: SourceBefore, { scope }: Reading, source: string): Warning | null {
  const last = heard.at(-1);
  if (scope === null || last === undefined || last.digest === scope.digest) return null;
  if (!heard.some(({ digest }) => digest === scope.digest)) return null;
  const message = `Another directory-extract uses the same source name "${source}": its runs and these take turns, and differ in ${differences(last, scope).join(', ')}. Each takes for gone what only the other reads. Give each a source name of its own. If instead the settings were changed back, approve the plan.`;
  return { code: 'SOURCE_SHARED', message };
}

/** Names of the settings in which two scopes differ. */
export function differences(one: ReadScope, other: ReadScope): string[] {
  const named = {
    bases: '"base" or "include"',
    exclude: '"exclude"',
    filter: '"filter"',
    kinds: '"contacts" or "publicFolders"',
    emailDomains: '"emailDomains"',
    attributes: '"attributes"',
  } as const;
  const names = Object.keys(named) as (keyof typeof named)[];
  return names.filter((name) => JSON.stringify(one[name]) !== JSON.stringify(other[name])).map((name) => named[name]);
}

/** Was it read with another scope than the last run that was committed? Names what differs; null: no, or not known. */
export function changedScope(before: Reading, now: Reading): string | null {
  if (before.scope === null || now.scope === null || before.scope.digest === now.scope.digest) return null;
  return differences(before.scope, now.scope).join(', ');
}

/** The seal of a doubtful run that is not held for its doubts: it is believed in what it brings, not in what it lacks. */
export function doubted(seal: Seal, { lost, shared }: Doubts): Seal {
  const reasons = shared === null ? lost : [...lost, shared];
  if (reasons.length === 0) return seal;
  return { ...seal, complete: false, incomplete: [...seal.incomplete, ...reasons] };
}

/** Is it known of an incomplete run that values were left out of objects that it brought? */
export function lacksValues({ incomplete }: Seal): boolean {
  return incomplete.some(({ code }) => code === 'CANARY_ATTRIBUTE_MISSING');
}

/** Names of the attributes that were asked for, in lower case; null: not known. */
export function askedOf({ brought }: Reading): ReadonlySet<string> | null {
  return brought === null ? null : new Set(Object.keys(brought.attributes).map((name) => name.toLowerCase()));
}
