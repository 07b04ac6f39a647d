/**
 * Reads users, contacts, groups and dynamic lists from a directory: batches as they are read, then the seal with the
 * proof that all of it was read. No proof, no removal: whatever fails makes the seal incomplete.
 */
import type { Entry } from '../ldap/entry.js';
import { type ParsedFilter, parseFilter } from '../ldap/filter.js';
import { type RangeCounts, beginRanges } from '../ldap/ranges.js';
import { type Session, openSession } from '../ldap/session.js';
import type { DirectorySettings } from '../ldap/settings.js';
import { type DirectorySyncError, SettingError, StoppedError, asDirectorySyncError } from '../model/errors.js';
import { countRecords, noRecords } from '../model/counts.js';
import type { ExtractedRecord } from '../model/records.js';
import type { Proof, ReadScope, Seal } from '../model/run.js';
import { BroughtCounts } from './brought.js';
import { type Canary, missingCanary, parseCanary, unseen } from './canaries.js';
import { CatalogReading } from './catalog.js';
import { firstText, plainDn, toRecord } from './classify.js';
import { identityChanged } from './failures.js';
import { figuresOf } from './figures.js';
import { readScopeOf } from './read-scope.js';
import { Scope, searchBases } from './scope.js';
import { Sessions } from './sessions.js';
import { ALWAYS_READ, type ExtractSettings, READ_OF_LIGHTWEIGHT, checkExtractSettings } from './settings.js';
import { type Slice, emptyLog, readBases } from './source.js';

export { ALWAYS_READ, DOCUMENTED_FILTER, type ExtractSettings } from './settings.js';

/**
 * A batch ends here although it has fewer records than the setting says: 500 people are half of it, 3,000 members all of it, and
 * 500 groups of 5,000 members would be 200 MB.
 */
const MOST_BATCH_BYTES = 1024 * 1024;
/** About what a value of an attribute that came in ranges takes. */
const BYTES_OF_VALUE = 80;

/**
 * What a member takes in memory beside its bytes: its places in lists, an object, an id as text; and as much again, because a heap is
 * let grow to twice what is alive in it. Other values take a sixth of it.
 */
const BYTES_BESIDE_MEMBER = 300;

/** About how much an entry was on the wire, what was read in ranges included, and how much its members take beside that. */
function sizeOf({ bytes, ranges, attributes }: Entry): number {
  const members = (attributes['member']?.length ?? 0) + (attributes['uniqueMember']?.length ?? 0);
  const size = bytes + members * BYTES_BESIDE_MEMBER;
  if (ranges.length === 0) return size;
  const keys = new Set(ranges.map(({ key }) => key));
  return [...keys].reduce((sum, key) => sum + (attributes[key]?.length ?? 0) * BYTES_OF_VALUE, size);
}

export interface ExtractOutcome {
  readonly seal: Seal;
  /** Why the seal is incomplete, where something failed. */
  readonly failure: DirectorySyncError | null;
}

/**
 * Yields batches as they are read; returns the seal. Where reading fails, before or after any batch, the seal is incomplete
 * and the failure stands beside it. Throws `SettingError` (nothing was sent) and `StoppedError` only.
 */
export async function* extract(
  directory: DirectorySettings,
  settings: ExtractSettings,
  signal: AbortSignal,
): AsyncGenerator<ExtractedRecord[], ExtractOutcome> {
  const filter = parseFilter(settings.filter);
  checkExtractSettings(settings);
  const reading = new Reading(directory, settings, filter, signal);
  try {
    yield* reading.read();
    return reading.outcome(null);
  } catch (thrown) {
    const failure = asDirectorySyncError(thrown);
    if (failure instanceof StoppedError || failure instanceof SettingError) throw failure;
    return reading.outcome(failure);
  } finally {
    await reading.close();
  }
}

/** The attributes of the settings and those that are always read, each once, in the spelling of these. */
function asked({ attributes }: ExtractSettings, always: readonly string[]): string[] {
  return [...new Map([...attributes, ...always].map((name) => [name.toLowerCase(), name])).values()];
}

/** One read and what is counted of it. */
class Reading {
  readonly #startedAt = new Date();
  readonly #records = noRecords();
  readonly #ranges: RangeCounts = { started: 0, ended: 0 };
  readonly #log = emptyLog();
  readonly #scope: Scope;
  /** What is asked for of every object: more where the server is known. */
  #attributes: readonly string[];
  #brought: BroughtCounts;
  /** Known as soon as there is a session. */
  #readScope: ReadScope | null = null;
  /** What makes the read incomplete though it went on to the end. */
  readonly #shortcomings: DirectorySyncError[] = [];
  readonly #canaries: readonly Canary[];
  /** Canaries that are of no domain of the own server, it seems: that of their domain must see them, when the read is over. */
  #elsewhere: ReadonlySet<Canary> = new Set();
  readonly #sessions: Sessions;
  /** The first, with which everything begins. */
  #session: Session | null = null;
  #catalog: CatalogReading | null = null;
  #batches = 0;
  #entries = 0;
  #proof: Proof | null = null;

  constructor(
    private readonly directory: DirectorySettings,
    private readonly settings: ExtractSettings,
    private readonly filter: ParsedFilter,
    private readonly signal: AbortSignal,
  ) {
    this.#attributes = asked(settings, ALWAYS_READ);
    this.#brought = new BroughtCounts(this.#attributes);
    this.#scope = new Scope(settings);
    this.#canaries = (settings.canaries ?? []).flatMap((line) => parseCanary(line) ?? []);
    this.#sessions = new Sessions(directory, signal, settings.attributes);
  }

  async *read(): AsyncGenerator<ExtractedRecord[], void> {
    const session = (this.#session = await openSession(this.directory, this.signal));
    await this.#sessions.keep(session);
    if (session.rootDse.vendor === 'lightweight') {
      this.#attributes = asked(this.settings, [...ALWAYS_READ, ...READ_OF_LIGHTWEIGHT]);
      this.#brought = new BroughtCounts(this.#attributes);
    }
    const identityAtStart = this.#sessions.identityOf(session);
    // Before the search: what changes during it has a higher number, and is found by the next delta.
    const usnBefore = session.rootDse.highestCommittedUsn;
    if (this.directory.globalCatalog === true) this.#elsewhere = await unseen(this.#canaries, session);
    await this.#lookForCanaries(session, null);
    yield* this.#batchesOf(this.#slices(session));
    const last = (this.#session = this.#sessions.now(session));
    this.#shortcomings.push(...(this.#catalog?.shortcomings ?? []));
    await this.#lookForCanaries(last, this.#catalog?.others ?? []);
    const identityAtEnd = await last.identity();
    const usnAfter = await last.highestUsn();
    if (identityAtStart !== identityAtEnd) throw identityChanged();
    await this.#sessions.checkIdentities();
    this.#proof = {
      searches: this.#log.searches,
      ranges: this.#ranges,
      identityAtStart,
      identityAtEnd,
      server: {
        url: session.url,
        dnsHostName: session.rootDse.dnsHostName,
        namingContext: session.base(),
        invocationId: session.invocationId,
      },
      usnBefore,
      usnAfter,
    };
  }

  async close(): Promise<void> {
    await this.#sessions.close();
  }

  /** The entries, by whichever way the settings say. */
  #slices(session: Session): AsyncGenerator<Slice, void> {
    const question = { filter: this.filter, attributes: this.#attributes };
    const { include = [] } = this.settings;
    if (this.directory.globalCatalog !== true) {
      const bases = searchBases(session.base(), include);
      this.#readScope = readScopeOf(bases, this.settings);
      return readBases(this.#sessions, session, bases, question, this.#log);
    }
    const { base } = this.directory;
    const bases = base === null ? include : searchBases(base, include);
    this.#readScope = readScopeOf(bases, this.settings);
    this.#catalog = new CatalogReading(session, this.#sessions, this.directory, question, this.#log, this.signal);
    return this.#catalog.read(bases);
  }

  async *#batchesOf(slices: AsyncGenerator<Slice, void>): AsyncGenerator<ExtractedRecord[], void> {
    let batch: ExtractedRecord[] = [];
    let bytes = 0;
    try {
      for await (const slice of slices) {
        for (const entry of slice.entries) {
          // Few entries come in part; to wait for each would cost more than to read it.
          const cut = entry.ranges.length === 0 ? null : await this.#complete(slice.session, entry);
          const record = this.#record(entry, cut, slice.lacking?.(entry) ?? null);
          if (record === null) continue;
          bytes += sizeOf(entry);
          if (batch.push(record) < this.settings.batchSize && bytes < MOST_BATCH_BYTES) continue;
          yield this.#counted(batch);
          batch = [];
          bytes = 0;
        }
      }
    } catch (error) {
      // What was read before it is good all the same.
      if (batch.length > 0 && !this.signal.aborted) yield this.#counted(batch);
      throw error;
    }
    if (batch.length > 0) yield this.#counted(batch);
  }

  /** The record of an entry; null where it is not wanted. */
  #record(
    entry: Entry,
    cut: Record<string, string> | null,
    lacking: Record<string, string> | null,
  ): ExtractedRecord | null {
    this.#entries += 1;
    const record = toRecord(entry, lacking === null ? cut : { ...cut, ...lacking }, this.settings.publicFolders);
    if (!this.#scope.wants(record)) return null;
    if (record.kind !== 'quarantined') this.#brought.add(entry);
    return record;
  }

  /** Completes what came in part. A cut on the way ends the search, too, which finds the new session when it begins again. */
  async #complete(session: Session, entry: Entry): Promise<Record<string, string> | null> {
    const object = { dn: plainDn(entry.dn ?? ''), guid: firstText(entry.attributes['objectGUID']) };
    const left = beginRanges(entry, this.#ranges);
    await this.#sessions.again(session, (current) => current.completeRanges(object, entry, left, this.#ranges));
    return Object.keys(left.held).length === 0 ? null : left.held;
  }

  #counted(batch: ExtractedRecord[]): ExtractedRecord[] {
    this.#batches += 1;
    countRecords(batch, this.#records);
    return batch;
  }

  /** `others`: servers of other domains; null: not known yet. A catalog has copies that prove no right where the object is. */
  async #lookForCanaries(own: Session, others: readonly Session[] | null): Promise<void> {
    if (this.#shortcomings.length > 0) return;
    const missing = await missingCanary(this.#canaries, (canary) => (this.#elsewhere.has(canary) ? others : [own]));
    if (missing) this.#shortcomings.push(missing);
  }

  /** What was read so far, sealed: complete only with a proof, without a failure and without a shortcoming. */
  outcome(thrown: DirectorySyncError | null): ExtractOutcome {
    const failures = thrown === null ? this.#shortcomings : [...this.#shortcomings, thrown];
    const [failure = null] = thrown === null ? failures : [thrown];
    const proof = failures.length === 0 ? this.#proof : null;
    return { failure, seal: this.#seal(proof, failures) };
  }

  #seal(proof: Proof | null, failures: readonly DirectorySyncError[]): Seal {
    const { invocationId = null, rootDse } = this.#session ?? {};
    // Several servers, each with numbers of its own: no number from which all of them could go on.
    const usn = this.#catalog === null ? (proof?.usnBefore ?? null) : null;
    return {
      kind: 'seal',
      batches: this.#batches,
      records: { ...this.#records },
      complete: proof !== null,
      incomplete: failures.map(({ code, message }) => ({ code, message })),
      proof,
      token:
        usn === null || invocationId === null
          ? null
          : { server: rootDse?.dnsHostName ?? this.#session?.url ?? '', invocationId, usn },
      ...(this.#readScope === null ? {} : { scope: this.#readScope, brought: this.#brought.toJSON() }),
      stages: [
        {
          stage: 'extract',
          startedAt: this.#startedAt.toISOString(),
          milliseconds: Date.now() - this.#startedAt.getTime(),
          batches: this.#batches,
          records: { ...this.#records },
          figures: figuresOf({
            entries: this.#entries,
            log: this.#log,
            restarts: this.#sessions.restarts,
            session: this.#session,
            ranges: this.#ranges,
            leftOut: this.#scope.leftOut,
            catalog: this.#catalog?.figures ?? null,
          }),
        },
      ],
    };
  }
}
