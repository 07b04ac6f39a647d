/**
 * What a directory may do beside what clients expect. Each is a switch; the defaults are those of a Windows domain
 * controller with default policies (1,000 entries in a page, 1,500 values in an attribute), and otherwise harmless.
 */
import type { LdifEntry } from '../ldif.js';

/** Told before a range of values other than the first is answered; the entries it returns, if any, are loaded first. */
export type MutateBetweenRanges = (range: {
  readonly dn: string;
  readonly attribute: string;
  readonly from: number;
}) => readonly LdifEntry[] | null;

export interface Quirks {
  /** MaxPageSize: entries in an answer at most. A search without the paging control that finds more ends with code 4. */
  readonly maxPageSize: number;
  /** MaxValRange: values of an attribute at most; the rest is had by `;range=`. */
  readonly maxValRange: number;
  /** MaxResultSetsPerConn: paged searches open on a connection; the oldest is forgotten when there are more. */
  readonly maxResultSets: number;
  /** Pages of a paged search, counted from 1, that come without an entry but with a cookie. */
  readonly emptyPageWithCookie: readonly number[];
  /** The page, counted from 1, whose answer lacks the paging control. */
  readonly pageWithoutControl: number | null;
  /** The server forgets a paged search after so many pages (code 12, 00000057), and so often in all. */
  readonly cookieDiscarded: { readonly afterPages: number; readonly times: number } | null;
  /** A search ends with code 3 after so many entries. */
  readonly timeLimitExceededAfter: number | null;
  /** A search ends with code 4 after so many entries, paged or not. */
  readonly sizeLimitExceeded: number | null;
  /** A simple bind without TLS is refused with code 8. */
  readonly requireEncryption: boolean;
  /** Every bind with a password is refused with code 49 and this data code, such as `775`. */
  readonly bindDataCode: string | null;
  /** Milliseconds before each page. */
  readonly delayPerPageMs: number;
  /** The connection ends after so many entries of a search. */
  readonly disconnectAfter: number | null;
  /** After so many entries of a search: notice of disconnection (RFC 4511 section 4.4.1), then the connection ends. */
  readonly noticeOfDisconnection: number | null;
  /** Objects, each with all that is below it, that whoever is bound may not see. */
  readonly hideBelow: readonly string[];
  /** What single identities may not see, beside what nobody may: by name as Who am I? says it, such as `u:EXAMPLE\\reader`. */
  readonly permissions: Readonly<Record<string, Permissions>>;
  /** What the server calls its database, as a GUID in text: another than before after a restore from a backup. */
  readonly invocationId: string | null;
  /** Added to every update sequence number that this server tells; below 0 after a restore. */
  readonly usnShift: number;
  /** Changes the directory while an attribute is read in ranges. */
  readonly mutateBetweenRanges: MutateBetweenRanges | null;
  /** After so many messages of a connection the server says nothing more, and stays connected. */
  readonly silentAfter: number | null;
  /** "Who am I?" names somebody else after so many answers, as where a proxy has handed the connection over. */
  readonly identityChangesAfter: number | null;
  /** It is AD LDS, and says so: states of accounts are not in userAccountControl, but computed when asked for by name. */
  readonly lightweight: boolean;
}

/** What an identity may not see. */
export interface Permissions {
  /** Objects, each with all that is below it. */
  readonly hideBelow?: readonly string[];
  /** Attributes, of all objects. */
  readonly hideAttributes?: readonly string[];
}

export const DEFAULT_QUIRKS: Quirks = {
  maxPageSize: 1000,
  maxValRange: 1500,
  maxResultSets: 10,
  emptyPageWithCookie: [],
  pageWithoutControl: null,
  cookieDiscarded: null,
  timeLimitExceededAfter: null,
  sizeLimitExceeded: null,
  requireEncryption: false,
  bindDataCode: null,
  delayPerPageMs: 0,
  disconnectAfter: null,
  noticeOfDisconnection: null,
  hideBelow: [],
  permissions: {},
  invocationId: null,
  usnShift: 0,
  mutateBetweenRanges: null,
  silentAfter: null,
  identityChangesAfter: null,
  lightweight: false,
};
