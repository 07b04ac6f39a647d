/**
 * One run through enrich: batches in, batches out, and what can be known only when all were seen. Where a directory may be
 * asked, it is asked for what the run names and does not bring; where it fails, what it was to say is left out, nothing that
 * was read is lost, and the run is incomplete.
 */
import type { DirectorySettings } from '../ldap/settings.js';
import { DirectoryError } from '../model/errors.js';
import type { EnrichedRecord, ExtractedRecord, Members } from '../model/records.js';
import type { Finding, Seal, Stage } from '../model/run.js';
import { byName } from './attributes.js';
import { type DynamicFigures, resolved } from './dynamic.js';
import { enrichObject } from './enrich.js';
import { Findings } from './findings.js';
import { Lookup } from './lookup.js';
import { Managers } from './managers.js';
import { Nesting } from './nested.js';
import { PrimaryGroups } from './primary.js';
import { MemberResolver } from './resolve.js';
import type { EnrichSettings } from './settings.js';

/** Whom to ask. `own`: the directory that was read; `other`: that of another forest, for its people in our groups. */
export interface EnrichDirectories {
  readonly own: DirectorySettings | null;
  readonly other: DirectorySettings | null;
}

/** What became of a batch. */
export interface EnrichedBatch {
  readonly records: EnrichedRecord[];
  readonly findings: Finding[];
}

/** What is said of the whole run. */
export interface EnrichOutcome {
  readonly figures: Stage['figures'];
  /** Codes with sentences; empty where everything that was to be asked was answered. */
  readonly incomplete: Seal['incomplete'];
  readonly findings: Seal['findings'];
}

/** A batch that enrich adds at the end has so many records, or full ones' members: most have none, some `membersPerRecord`. */
const MOST_RECORDS = 500;
const MOST_FULL = 50;

export class Enrichment {
  readonly #settings: EnrichSettings;
  readonly #own: Lookup | null;
  readonly #other: Lookup | null;
  readonly #members: MemberResolver;
  readonly #primary: PrimaryGroups | null;
  readonly #nesting: Nesting | null;
  readonly #managers: Managers | null;
  readonly #findings: Findings | null;
  readonly #dynamic: DynamicFigures = { dynamicLists: 0, dynamicMembers: 0, dynamicRefused: 0 };
  #failure: DirectoryError | null = null;

  /** `startedAt`: of the run; by then, an account that has expired counts as disabled, if that is wanted. */
  constructor(
    wanted: EnrichSettings,
    directories: EnrichDirectories,
    private readonly startedAt: Date,
    signal: AbortSignal,
  ) {
    // Nobody to be asked for their addresses: managers are named like anybody else.
    const settings = directories.own === null ? { ...wanted, managers: false } : wanted;
    this.#settings = settings;
    this.#own = directories.own === null ? null : new Lookup(directories.own, signal);
    this.#other = directories.other === null ? null : new Lookup(directories.other, signal);
    this.#members = new MemberResolver(this.#own, this.#other);
    this.#primary = settings.primaryGroups === true ? new PrimaryGroups() : null;
    this.#nesting = settings.nested === 'flattened' ? new Nesting() : null;
    this.#managers = this.#own !== null && settings.managers === true ? new Managers(this.#own) : null;
    this.#findings = settings.findings === true ? new Findings() : null;
  }

  /** Enriches a batch. Throws `StoppedError` only. */
  async batch(records: readonly ExtractedRecord[]): Promise<EnrichedBatch> {
    const findings: Finding[] = [];
    let enriched: EnrichedRecord[] = [];
    const known = { now: this.startedAt, idOf: this.#members.idOf };
    for (const record of records) {
      const attributes = byName(record.kind === 'quarantined' ? (record.shown ?? {}) : record.attributes);
      const made = record.kind === 'quarantined' ? [record] : enrichObject(record, attributes, this.#settings, known);
      // Not push(...made): a group may come in more records than a call takes arguments.
      for (const one of made) enriched.push(one);
      this.#members.note(record);
      this.#primary?.note(record, attributes, made);
      if (this.#findings) findings.push(...this.#findings.note(record, attributes, made));
    }
    this.#fullPrimary(enriched);
    enriched = await this.#asked(() => this.#dynamicLists(enriched), enriched);
    await this.#asked(() => this.#members.resolve(enriched), undefined);
    if (this.#findings) findings.push(...this.#findings.noteMembers(enriched));
    const managers = this.#managers;
    if (managers) enriched = await this.#asked(() => managers.resolve(enriched), enriched);
    return { records: this.#nesting?.take(enriched) ?? enriched, findings };
  }

  /** What follows behind the last batch. Call it once, when all have been taken. */
  *rest(): Generator<EnrichedRecord[]> {
    let batch: EnrichedRecord[] = [];
    let room = MOST_FULL * this.#settings.membersPerRecord;
    for (const record of this.#lateMembers()) {
      room -= record.add.length;
      if (batch.push(record) < MOST_RECORDS && room > 0) continue;
      yield batch;
      batch = [];
      room = MOST_FULL * this.#settings.membersPerRecord;
    }
    if (batch.length > 0) yield batch;
  }

  /** Call it when `rest` has ended. */
  outcome(): EnrichOutcome {
    const asks = this.#own !== null || this.#other !== null;
    return {
      figures: {
        ...(asks ? { requests: (this.#own?.requests ?? 0) + (this.#other?.requests ?? 0) } : {}),
        ...above0({ ...this.#members.figures, ...this.#dynamic, ...this.#managers?.figures }),
        ...this.#primary?.figures,
        ...this.#nesting?.figures,
        ...(this.#findings === null ? {} : { findings: this.#findings.summary.count }),
      },
      incomplete: this.#failure === null ? [] : [lookupFailed(this.#failure)],
      findings: this.#findings?.summary,
    };
  }

  async close(): Promise<void> {
    await Promise.all([this.#own?.close(), this.#other?.close()]);
  }

  /** People by primary group do not wait for the end of the run: a domain has one group with everybody. */
  #fullPrimary(enriched: EnrichedRecord[]): void {
    if (this.#primary === null) return;
    const { membersPerRecord } = this.#settings;
    const nesting = this.#nesting;
    if (nesting === null) for (const record of this.#primary.full(membersPerRecord)) enriched.push(record);
    else for (const { group, ids } of this.#primary.fullByGroup(membersPerRecord)) nesting.add(group, ids, null);
  }

  *#lateMembers(): Generator<Members> {
    const { membersPerRecord } = this.#settings;
    if (this.#nesting === null) {
      if (this.#primary) yield* this.#primary.rest(membersPerRecord);
      return;
    }
    for (const { group, ids, held } of this.#primary?.byGroup() ?? []) this.#nesting.add(group, ids, held);
    yield* this.#nesting.rest(membersPerRecord);
  }

  async #dynamicLists(records: EnrichedRecord[]): Promise<EnrichedRecord[]> {
    const lookup = this.#own;
    if (this.#settings.dynamicLists !== true || lookup === null) return records;
    if (!records.some(({ kind }) => kind === 'dynamic-group')) return records;
    const { membersPerRecord } = this.#settings;
    const all: EnrichedRecord[] = [];
    for (const record of records) {
      const made =
        record.kind === 'dynamic-group' ? await resolved(record, lookup, membersPerRecord, this.#dynamic) : [record];
      for (const one of made) all.push(one);
    }
    return all;
  }

  /** The answer of a directory; where it fails, `otherwise`, and the first failure is kept. */
  async #asked<Result>(ask: () => Promise<Result>, otherwise: Result): Promise<Result> {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof DirectoryError)) throw error;
      this.#failure ??= error;
      return otherwise;
    }
  }
}

function lookupFailed({ code, message }: DirectoryError): { code: string; message: string } {
  return {
    code: 'LOOKUP_FAILED',
    message: `A directory could not be asked for what the read does not bring (${code}), so members or managers may be missing. Nothing is removed. ${message}`,
  };
}

function above0(figures: object): Stage['figures'] {
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => value !== 0));
}
