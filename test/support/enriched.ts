/** Reads and enriches a directory, and gives who is in which group in the form in which the oracle gives it. */
import { Enrichment, type EnrichDirectories, type EnrichOutcome } from '../../engine/enrich/enrichment.js';
import type { EnrichSettings } from '../../engine/enrich/settings.js';
import { DOCUMENTED_FILTER, extract } from '../../engine/extract/extract.js';
import type { DirectorySettings } from '../../engine/ldap/settings.js';
import type { EnrichedRecord, Member } from '../../engine/model/records.js';
import type { Finding, Seal } from '../../engine/model/run.js';
import { dnKey } from './directory/dn.js';

/** A run through extract and enrich. */
export interface EnrichedRun extends EnrichOutcome {
  readonly records: EnrichedRecord[];
  readonly found: Finding[];
  readonly seal: Seal;
}

/** Small batches, so that groups and their members come in several. */
export async function enrichedRun(
  directory: DirectorySettings,
  settings: EnrichSettings,
  { attributes = [], filter = DOCUMENTED_FILTER, ask = {} }: EnrichedOptions = {},
): Promise<EnrichedRun> {
  const { signal } = new AbortController();
  const whom: EnrichDirectories = { own: directory, other: null, ...ask };
  const enrichment = new Enrichment(settings, whom, new Date('2026-06-01T00:00:00Z'), signal);
  const records: EnrichedRecord[] = [];
  const found: Finding[] = [];
  try {
    const batches = extract(directory, { filter, attributes, batchSize: 50, contacts: true }, signal);
    for (;;) {
      const next = await batches.next();
      if (next.done === true) {
        for (const batch of enrichment.rest()) records.push(...batch);
        return { records, found, seal: next.value.seal, ...enrichment.outcome() };
      }
      const batch = await enrichment.batch(next.value);
      records.push(...batch.records);
      found.push(...batch.findings);
    }
  } finally {
    await enrichment.close();
  }
}

export interface EnrichedOptions {
  readonly attributes?: readonly string[];
  readonly filter?: string;
  /** Whom to ask instead of the directory that is read. */
  readonly ask?: Partial<EnrichDirectories>;
}

/** The members of every group by name; `HELD` for those that are not whole. `readOnly`: only those whose objects were read. */
export function membersByName(records: readonly EnrichedRecord[], readOnly = false): Record<string, string[] | 'HELD'> {
  const names = new Map<string, string>();
  for (const record of records) if (record.kind !== 'members' && record.id !== null) names.set(record.id, record.dn);
  const nameOf = ({ id, dn }: Member) => (names.get(id ?? '') ?? (readOnly ? undefined : dn))?.toLowerCase();
  const parts = new Map<string, { seen: number[]; parts: number; held: boolean; names: Set<string> }>();
  for (const record of records) {
    if (record.kind !== 'members') continue;
    const group = parts.get(record.group) ?? { seen: [], parts: 0, held: false, names: new Set() };
    group.seen.push(record.part);
    group.parts = Math.max(group.parts, record.parts);
    group.held ||= record.held !== undefined;
    for (const member of record.add) {
      const name = nameOf(member);
      if (name !== undefined) group.names.add(name);
    }
    parts.set(record.group, group);
  }
  return Object.fromEntries(
    [...parts].map(([id, group]) => {
      const whole = !group.held && group.seen.sort((one, other) => one - other).every((part, at) => part === at + 1);
      const all = whole && group.seen.length === group.parts;
      return [(names.get(id) ?? id).toLowerCase(), all ? [...group.names].sort() : 'HELD'];
    }),
  );
}

/** Only the groups that the oracle speaks of: every domain has others of its own. */
export function onlyOf(
  expected: Record<string, unknown>,
  actual: Record<string, string[] | 'HELD'>,
): Record<string, unknown> {
  return Object.fromEntries(Object.keys(expected).map((name) => [name, actual[name]]));
}

/** The same with names in one spelling: servers escape each in their own way. */
export function inOneSpelling(members: Record<string, string[] | 'HELD'>): Record<string, string[] | 'HELD'> {
  const spelled = (name: string) => dnKey(name) ?? name;
  return Object.fromEntries(
    Object.entries(members).map(([group, names]) => [
      spelled(group),
      names === 'HELD' ? names : [...new Set(names.map(spelled))].sort(),
    ]),
  );
}
