/** Answers one search request: a page of a result set, with the limits and quirks that apply to it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LdifEntry } from '../ldif.js';
import { encodeText } from './ber.js';
import { type SearchControls, pageControl } from './controls.js';
import { entryParts, laterRanges, parseSelection, plainEntryParts } from './entry.js';
import { Answer, type Result, ResultCode, type SearchRequest, encodeMessage, resultParts } from './message.js';
import type { Quirks } from './quirks.js';
import { cookieUnknown, sizeLimitExceeded, timeLimitExceeded } from './refusals.js';
import { type ResultSet, type View, openResultSet, questionOf } from './resultset.js';
import { rootDse } from './rootdse.js';
import type { Cookies } from './cookies.js';
import type { Store } from './store.js';

/** What a search has around it. */
export interface SearchContext {
  readonly id: number;
  readonly request: SearchRequest;
  readonly controls: SearchControls;
  readonly view: View;
  /** The store of the moment. */
  readonly current: () => Store;
  readonly usn: number;
  readonly quirks: Quirks;
  readonly cookies: Cookies;
  /** Told of each entry that is sent. */
  readonly entrySent: () => void;
  /** Changes the directory between two ranges, where a quirk wants that. */
  readonly mutate: (entries: readonly LdifEntry[]) => void;
}

/** How a search ends: with a result (sent already), or with the connection. */
export type SearchEnd = { readonly result: Result } | { readonly disconnect: 'silently' | 'with notice' };

/** The messages of the answer, the last of them the result. */
export async function* answerSearch(search: SearchContext): AsyncGenerator<Buffer, SearchEnd> {
  const { id, request, controls, quirks } = search;
  if (request.base === '' && request.scope === 'base') return yield* answerRootDse(search);

  const deadline = request.timeLimit > 0 ? performance.now() + request.timeLimit * 1000 : Infinity;
  await sleepIf(quirks.delayPerPageMs);
  const set = controls.page ? continueOrOpen(search, controls.page.cookie) : open(search);
  if ('code' in set) return yield* finish(id, set);
  set.pages += 1;

  const end = yield* page(search, set, deadline);
  if (end) return 'code' in end ? yield* finish(id, end) : end;
  const cookie = nextPage(search, set);
  if (!cookie || cookie.length === 0) {
    for (const url of set.references) yield encodeMessage(id, Answer.reference, [encodeText(url)]);
  }
  return yield* finish(id, { code: ResultCode.success }, cookie);
}

function open({ request, controls, view, current }: SearchContext): ResultSet | Result {
  return openResultSet(request, controls, view, current);
}

function continueOrOpen(search: SearchContext, cookie: Buffer): ResultSet | Result {
  if (cookie.length === 0) return open(search);
  const set = search.cookies.take(cookie);
  return set?.question === questionOf(search.request) ? set : cookieUnknown();
}

/** Sends entries until the page is full or something stops it. */
function* page(
  search: SearchContext,
  set: ResultSet,
  deadline: number,
): Generator<Buffer, Result | SearchEnd | undefined> {
  const { id, request, controls, quirks } = search;
  const size = pageSize(controls, quirks);
  if (controls.page && quirks.emptyPageWithCookie.includes(set.pages)) return undefined;
  const selection = parseSelection(request.attributes);
  for (let sent = 0; set.more; sent += 1) {
    const stop = stopAfter(set.entries, quirks);
    if (stop) return stop;
    if (performance.now() > deadline) return timeLimitExceeded();
    if (request.sizeLimit > 0 && sent >= request.sizeLimit) return sizeLimitExceeded();
    if (sent >= size) return controls.page ? undefined : sizeLimitExceeded();

    let object = set.take();
    for (const range of laterRanges(selection)) {
      const entries = object && quirks.mutateBetweenRanges?.({ dn: object.dn, ...range });
      if (entries) search.mutate(entries);
    }
    object = object && search.current().get(object.key);
    if (!object) continue;
    set.entries += 1;
    search.entrySent();
    const options = { selection, names: controls.names, typesOnly: request.typesOnly, maxValRange: quirks.maxValRange };
    yield encodeMessage(id, Answer.entry, entryParts(object, { store: search.current(), ...options }));
  }
  return undefined;
}

function pageSize({ page: asked }: SearchControls, { maxPageSize }: Quirks): number {
  return asked && asked.size > 0 ? Math.min(asked.size, maxPageSize) : maxPageSize;
}

function stopAfter(entries: number, quirks: Quirks): Result | SearchEnd | null {
  const reached = (limit: number | null) => limit !== null && entries >= limit;
  if (reached(quirks.timeLimitExceededAfter)) return timeLimitExceeded();
  if (reached(quirks.sizeLimitExceeded)) return sizeLimitExceeded();
  if (reached(quirks.disconnectAfter)) return { disconnect: 'silently' };
  if (reached(quirks.noticeOfDisconnection)) return { disconnect: 'with notice' };
  return null;
}

/** The paging control of the answer, where there is one. */
function nextPage({ controls, cookies, quirks }: SearchContext, set: ResultSet): Buffer | null {
  if (!controls.page) return null;
  const more = set.more || quirks.emptyPageWithCookie.includes(set.pages);
  const cookie = more ? cookies.give(set, quirks) : Buffer.alloc(0);
  return quirks.pageWithoutControl === set.pages ? null : cookie;
}

function* answerRootDse(search: SearchContext): Generator<Buffer, SearchEnd> {
  const { id, request, view, usn, quirks } = search;
  const attributes = rootDse(view.forest, view.controller, usn, quirks.lightweight);
  const parts = plainEntryParts(attributes, parseSelection(request.attributes), request.typesOnly);
  search.entrySent();
  yield encodeMessage(id, Answer.entry, parts);
  return yield* finish(id, { code: ResultCode.success }, search.controls.page ? Buffer.alloc(0) : null);
}

function* finish(id: number, result: Result, cookie: Buffer | null = null): Generator<Buffer, SearchEnd> {
  const controls = cookie ? [pageControl(cookie)] : [];
  yield encodeMessage(id, Answer.done, resultParts(result), controls);
  return { result };
}

async function sleepIf(milliseconds: number): Promise<void> {
  if (milliseconds > 0) await sleep(milliseconds);
}
