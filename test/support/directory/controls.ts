/** The controls that the directory knows: which they are, what their values mean. */
import { BerReader, Tag, encode, encodeInteger, encodeText } from './ber.js';
import type { Control } from './message.js';

export const ControlOid = {
  pagedResults: '1.2.840.113556.1.4.319',
  extendedDn: '1.2.840.113556.1.4.529',
  showDeleted: '1.2.840.113556.1.4.417',
  showRecycled: '1.2.840.113556.1.4.2064',
  domainScope: '1.2.840.113556.1.4.1339',
} as const;

const SUPPORTED = new Set<string>(Object.values(ControlOid));

/** How names are printed: without ids, or with them as hexadecimal digits or as texts. */
export type NameStyle = 'plain' | 'hex' | 'text';

/** What the controls of a search ask for. */
export interface SearchControls {
  readonly page: { readonly size: number; readonly cookie: Buffer } | null;
  readonly names: NameStyle;
  readonly deleted: boolean;
  /** No references to other naming contexts. */
  readonly withoutReferences: boolean;
}

/** The first critical control that is not known. */
export function unsupportedControl(controls: readonly Control[]): Control | undefined {
  return controls.find(({ oid, critical }) => critical && !SUPPORTED.has(oid));
}

/** Throws BerError where a value is malformed. */
export function parseSearchControls(controls: readonly Control[]): SearchControls {
  const has = (wanted: string) => controls.some(({ oid }) => oid === wanted);
  const page = controls.find(({ oid }) => oid === ControlOid.pagedResults);
  const extended = controls.find(({ oid }) => oid === ControlOid.extendedDn);
  return {
    page: page ? parsePage(page) : null,
    names: extended ? nameStyle(extended) : 'plain',
    deleted: has(ControlOid.showDeleted) || has(ControlOid.showRecycled),
    withoutReferences: has(ControlOid.domainScope),
  };
}

/** The paging control of an answer (RFC 2696); an empty cookie says that this was the last page. */
export function pageControl(cookie: Buffer): { oid: string; value: Buffer } {
  return {
    oid: ControlOid.pagedResults,
    value: encode(Tag.sequence, encodeInteger(0), encodeText(cookie)),
  };
}

function parsePage({ value }: Control): { size: number; cookie: Buffer } {
  const reader = new BerReader(value ?? Buffer.alloc(0)).sequence();
  return { size: reader.integer(), cookie: reader.expect(Tag.octets) };
}

/** Without a value, and with flag 0: hexadecimal; flag 1: texts (MS-ADTS 3.1.1.3.4.1.5). */
function nameStyle({ value }: Control): NameStyle {
  if (!value || value.length === 0) return 'hex';
  return new BerReader(value).sequence().integer() === 1 ? 'text' : 'hex';
}
