/**
 * Reads users, contacts, groups and dynamic lists from a directory: batches as they are read, then the seal with the
 * proof that all of it was read. No proof, no removal: whatever fails makes the seal incomplete.
 */
import type { Entry } from '../ldap/entry.js';
import { type ParsedFilter, parseFilter } from '../ldap/filter.js';
import type { RangeCounts } from '../ldap/ranges.js';
import type { SearchOutcome } from '../ldap/search.js';
import { type Session, openSession } from '../ldap/session.js';
import type { DirectorySettings } from '../ldap/settings.js';
import {
  DirectoryError,
  type DirectorySyncError,
  SettingError,
  StoppedError,
  asDirectorySyncError,
} from '../model/errors.js';
import { countRecords } from '../model/message.js';
import { type ExtractedRecord, noRecords } from '../model/records.js';
import type { Proof, Seal } from '../model/run.js';
import { firstText, plainDn, toRecord } from './classify.js';

export interface ExtractSettings {
  readonly filter: string;
  /** Attributes beside those that are always read. */
  readonly attributes: readonly string[];
  /** Records in a batch. */
  readonly batchSize: number;
  /** Are contacts sent, too? */
  readonly contacts: boolean;
}

/** What the documentation of the product reads: everything that can have an address. */
export const DOCUMENTED_FILTER =
  '(|(mail=*)(proxyaddresses=*)(objectclass=group)(objectclass=msExchDynamicDistributionList))';

/** Read of every object, in this spelling. */
export const ALWAYS_READ: readonly string[] = [
  'objectClass',
  'objectGUID',
  'objectSid',
  'entryUUID',
  'cn',
  'displayName',
  'mail',
  'proxyAddresses',
  'targetAddress',
  'userAccountControl',
  'msExchRecipientTypeDetails',
  'groupType',
  'member',
  'uniqueMember',
  'primaryGroupID',
  'msExchDynamicDLFilter',
  'msExchDynamicDLBaseDN',
];

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
  checkSettings(settings);
  const reading = new Reading(settings, filter);
  let session: Session | null = null;
  try {
    session = await openSession(directory, signal);
    yield* reading.read(session);
    return { seal: reading.seal(session, null), failure: null };
  } catch (thrown) {
    const failure = asDirectorySyncError(thrown);
    if (failure instanceof StoppedError || failure instanceof SettingError) throw failure;
    return { seal: reading.seal(session, failure), failure };
  } finally {
    await session?.close();
  }
}

function checkSettings({ batchSize }: ExtractSettings): void {
  if (Number.isInteger(batchSize) && batchSize >= 1 && batchSize <= 10_000) return;
  throw new SettingError('SETTING_INVALID', {
    message: 'The batch size must be a whole number between 1 and 10000. Correct "batchSize" of the extract node.',
    status: 'batchSize is wrong',
    params: { setting: 'batchSize' },
  });
}

/** One read and what is counted of it. */
class Reading {
  readonly #startedAt = new Date();
  readonly #records = noRecords();
  readonly #ranges: RangeCounts = { started: 0, ended: 0 };
  readonly #attributes: string[];
  #batches = 0;
  #entries = 0;
  #leftOut = 0;
  #outcome: SearchOutcome | null = null;
  #proof: Proof | null = null;

  constructor(
    private readonly settings: ExtractSettings,
    private readonly filter: ParsedFilter,
  ) {
    const names = new Map([...settings.attributes, ...ALWAYS_READ].map((name) => [name.toLowerCase(), name]));
    this.#attributes = [...names.values()];
  }

  async *read(session: Session): AsyncGenerator<ExtractedRecord[], void> {
    const identityAtStart = await session.identity();
    // Before the search: what changes during it has a higher number, and is found by the next delta.
    const usnBefore = session.rootDse.highestCommittedUsn;
    const base = session.base();
    yield* this.#batchesOf(session, base);
    const identityAtEnd = await session.identity();
    const usnAfter = await session.highestUsn();
    this.#proof = {
      searches: [{ base, pages: this.#outcome?.pages ?? 0, entries: this.#entries, ended: this.#outcome !== null }],
      ranges: this.#ranges,
      identityAtStart,
      identityAtEnd,
      server: {
        url: session.url,
        dnsHostName: session.rootDse.dnsHostName,
        namingContext: base,
        invocationId: session.invocationId,
      },
      usnBefore,
      usnAfter,
    };
    if (identityAtStart !== identityAtEnd) throw identityChanged();
  }

  async *#batchesOf(session: Session, base: string): AsyncGenerator<ExtractedRecord[], void> {
    let batch: ExtractedRecord[] = [];
    const slices = session.search({
      base,
      scope: 'sub',
      filter: this.filter,
      attributes: this.#attributes,
      marks: true,
      pageSize: session.pageSize,
      extendedDn: session.knowsExtendedDn,
    });
    for (;;) {
      const slice = await slices.next();
      if (slice.done === true) {
        this.#outcome = slice.value;
        break;
      }
      for (const entry of slice.value) {
        // Few entries come in part; to wait for each would cost more than to read it.
        const held = entry.ranges.length === 0 ? null : await this.#complete(session, entry);
        const record = this.#record(entry, held);
        if (record === null || batch.push(record) < this.settings.batchSize) continue;
        yield this.#counted(batch);
        batch = [];
      }
    }
    if (batch.length > 0) yield this.#counted(batch);
  }

  #complete(session: Session, entry: Entry): Promise<Record<string, string> | null> {
    const object = { dn: plainDn(entry.dn ?? ''), guid: firstText(entry.attributes['objectGUID']) };
    return session.completeRanges(object, entry, this.#ranges);
  }

  /** The record of an entry; null where it is not wanted. */
  #record(entry: Entry, held: Record<string, string> | null): ExtractedRecord | null {
    this.#entries += 1;
    const record = toRecord(entry, held);
    if (record.kind !== 'contact' || this.settings.contacts) return record;
    this.#leftOut += 1;
    return null;
  }

  #counted(batch: ExtractedRecord[]): ExtractedRecord[] {
    this.#batches += 1;
    countRecords(batch, this.#records);
    return batch;
  }

  /** The seal of what was read so far: complete only with a proof and without a failure. */
  seal(session: Session | null, failure: DirectorySyncError | null): Seal {
    const proof = failure === null ? this.#proof : null;
    const incomplete = failure === null ? [] : [{ code: failure.code, message: failure.message }];
    const { invocationId = null, rootDse } = session ?? {};
    const usn = proof?.usnBefore ?? null;
    return {
      kind: 'seal',
      batches: this.#batches,
      records: { ...this.#records },
      complete: proof !== null,
      incomplete,
      proof,
      token:
        usn === null || invocationId === null
          ? null
          : { server: rootDse?.dnsHostName ?? session?.url ?? '', invocationId, usn },
      stages: [
        {
          stage: 'extract',
          startedAt: this.#startedAt.toISOString(),
          milliseconds: Date.now() - this.#startedAt.getTime(),
          batches: this.#batches,
          records: { ...this.#records },
          figures: this.#figures(session),
        },
      ],
    };
  }

  #figures(session: Session | null): Record<string, string | number> {
    const figures: Record<string, string | number> = { entries: this.#entries, pages: this.#outcome?.pages ?? 0 };
    if (session !== null) {
      figures['server'] = session.url;
      figures['tlsProtocol'] = session.tls?.protocol ?? 'none';
      figures['tlsCipher'] = session.tls?.cipher ?? 'none';
      figures['requests'] = session.traffic.requests;
      figures['bytes'] = session.traffic.bytes;
    }
    figures['referencesNotFollowed'] = this.#outcome?.references.length ?? 0;
    figures['rangedAttributes'] = this.#ranges.started;
    if (this.#leftOut > 0) figures['contactsLeftOut'] = this.#leftOut;
    return figures;
  }
}

function identityChanged(): DirectoryError {
  return new DirectoryError('IDENTITY_CHANGED', {
    message:
      'Somebody else was bound at the end of the read than at its beginning, so it is not known what was visible. Nothing is removed. Look for a proxy or load balancer between this machine and the directory server.',
    status: 'identity changed',
  });
}
