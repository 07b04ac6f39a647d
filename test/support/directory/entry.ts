/** What of an object is sent: the attributes asked for, in ranges where there are many values, with names as asked. */
import type { LdifValue } from '../ldif.js';
import { Tag, encode, encodeText } from './ber.js';
import type { NameStyle } from './controls.js';
import { dnKey } from './dn.js';
import { guidText, sidText } from './ids.js';
import type { DirectoryObject } from './object.js';
import { BACKLINKS, SECRET, allAttributeFacts, attributeFact } from './schema.js';
import type { Store } from './store.js';

/** An attribute as it was asked for: `member`, or `member;range=0-*` (`to` is then null). */
interface Wanted {
  readonly lowerName: string;
  readonly range: { readonly from: number; readonly to: number | null } | null;
}

/** The attributes of a search, parsed once. */
export interface Selection {
  readonly all: boolean;
  readonly named: readonly Wanted[];
}

export function parseSelection(attributes: readonly string[]): Selection {
  const operational = attributes.includes('+') ? [...allAttributeFacts()].filter((fact) => fact.constructed) : [];
  const names = attributes.filter((name) => !['*', '+', '1.1'].includes(name));
  return {
    all: attributes.length === 0 || attributes.includes('*'),
    named: [...new Set([...names, ...operational.map(({ name }) => name)].map((name) => name.toLowerCase()))].map(
      parseWanted,
    ),
  };
}

/** The ranges that a selection asks for and that do not begin at the beginning. */
export function laterRanges(selection: Selection): { attribute: string; from: number }[] {
  return selection.named.flatMap(({ lowerName, range }) =>
    range && range.from > 0 ? [{ attribute: attributeFact(lowerName)?.name ?? lowerName, from: range.from }] : [],
  );
}

export interface EntryOptions {
  readonly store: Store;
  readonly selection: Selection;
  readonly names: NameStyle;
  readonly typesOnly: boolean;
  readonly maxValRange: number;
}

/** The parts of a SearchResultEntry: name and attributes. */
export function entryParts(object: DirectoryObject, options: EntryOptions): Buffer[] {
  const { store, selection, names, typesOnly, maxValRange } = options;
  const attributes: Buffer[] = [];
  for (const { lowerName, range } of wantedOf(object, selection)) {
    const values = SECRET.has(lowerName) ? undefined : store.read(object, lowerName);
    if (!values || values.length === 0) continue;
    const part = slice(values, range, maxValRange);
    if (!part) continue;
    const name = attributeFact(lowerName)?.name ?? object.attribute(lowerName)?.name ?? lowerName;
    const isName = attributeFact(lowerName)?.syntax === 'dn';
    const shown = typesOnly
      ? []
      : part.values.map((value) => encodeText(isName ? printValue(value, store, names) : value));
    attributes.push(encode(Tag.sequence, encodeText(name + part.suffix), encode(Tag.set, ...shown)));
  }
  return [encodeText(printName(object, names)), encode(Tag.sequence, ...attributes)];
}

/** A name with its ids in front, as the extended-DN control wants it: `<GUID=…>;<SID=…>;CN=…`. */
export function printName(object: DirectoryObject, style: NameStyle): string {
  if (style === 'plain') return object.dn;
  const guid = style === 'hex' ? object.guid.toString('hex') : guidText(object.guid);
  const sid = object.sid && (style === 'hex' ? object.sid.toString('hex') : sidText(object.sid));
  return `<GUID=${guid}>;${sid === null ? '' : `<SID=${sid}>;`}${object.dn}`;
}

/** A value that names an object is printed as the object is; one that names nothing, as it stands. */
function printValue(value: LdifValue, store: Store, style: NameStyle): LdifValue {
  const key = dnKey(String(value));
  const target = key === null ? undefined : store.get(key);
  return target ? printName(target, style) : value;
}

function parseWanted(text: string): Wanted {
  const [, lowerName = text, from = '', to = ''] = /^([^;]+);range=(\d{1,9})-(\d{1,9}|\*)$/.exec(text) ?? [];
  if (from === '') return { lowerName: text, range: null };
  return { lowerName, range: { from: Number(from), to: to === '*' ? null : Number(to) } };
}

function* wantedOf(object: DirectoryObject, selection: Selection): Generator<Wanted> {
  const named = new Set(selection.named.map(({ lowerName }) => lowerName));
  if (selection.all) {
    for (const lowerName of [...object.names(), ...BACKLINKS.keys()]) {
      if (!named.has(lowerName)) yield { lowerName, range: null };
    }
  }
  yield* selection.named;
}

/** The values of an answer, and the option that says which they are; null for a range beyond the last value. */
function slice(
  values: readonly LdifValue[],
  range: Wanted['range'],
  most: number,
): { suffix: string; values: readonly LdifValue[] } | null {
  if (!range && values.length <= most) return { suffix: '', values };
  const from = range?.from ?? 0;
  if (from >= values.length) return null;
  const to = Math.min(range?.to ?? Infinity, from + most - 1);
  const last = to >= values.length - 1;
  return { suffix: `;range=${from}-${last ? '*' : to}`, values: values.slice(from, last ? undefined : to + 1) };
}

/** An entry that is not in the store, such as the RootDSE. */
export function plainEntryParts(
  attributes: Iterable<readonly [string, readonly LdifValue[]]>,
  selection: Selection,
  typesOnly: boolean,
): Buffer[] {
  const named = new Set(selection.named.map(({ lowerName }) => lowerName));
  const parts: Buffer[] = [];
  for (const [name, values] of attributes) {
    if (!selection.all && !named.has(name.toLowerCase())) continue;
    const shown = typesOnly ? [] : values.map((value) => encodeText(value));
    parts.push(encode(Tag.sequence, encodeText(name), encode(Tag.set, ...shown)));
  }
  return [encodeText(''), encode(Tag.sequence, ...parts)];
}
