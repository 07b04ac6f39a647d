/** Search filters: from the wire (RFC 4511 section 4.5.1) and as text (RFC 4515). */
import { BerError, BerReader, booleanOf, type Element } from './ber.js';

export type Filter =
  | { readonly kind: 'and'; readonly parts: readonly Filter[] }
  | { readonly kind: 'or'; readonly parts: readonly Filter[] }
  | { readonly kind: 'not'; readonly part: Filter }
  | { readonly kind: 'equal' | 'approx'; readonly attribute: string; readonly value: Buffer }
  | { readonly kind: 'greater' | 'less'; readonly attribute: string; readonly value: Buffer }
  | { readonly kind: 'present'; readonly attribute: string }
  | {
      readonly kind: 'substrings';
      readonly attribute: string;
      readonly initial: Buffer | null;
      readonly any: readonly Buffer[];
      readonly final: Buffer | null;
    }
  | {
      readonly kind: 'extensible';
      readonly rule: string | null;
      readonly attribute: string | null;
      readonly value: Buffer;
      readonly dnAttributes: boolean;
    };

const COMPARISONS = new Map([
  [0xa3, 'equal'],
  [0xa5, 'greater'],
  [0xa6, 'less'],
  [0xa8, 'approx'],
] as const);
const MAX_DEPTH = 100;

/** Decodes the filter of a search request. Throws {@link BerError}. */
export function decodeFilter(element: Element, depth = 0): Filter {
  if (depth > MAX_DEPTH) throw new BerError('a filter nested too deeply');
  const { tag, content } = element;
  const reader = new BerReader(content);
  switch (tag) {
    case 0xa0:
    case 0xa1: {
      const parts: Filter[] = [];
      while (reader.more) parts.push(decodeFilter(reader.element(), depth + 1));
      return { kind: tag === 0xa0 ? 'and' : 'or', parts };
    }
    case 0xa2:
      return { kind: 'not', part: decodeFilter(reader.element(), depth + 1) };
    case 0x87:
      return { kind: 'present', attribute: content.toString() };
    case 0xa4:
      return decodeSubstrings(reader);
    case 0xa9:
      return decodeExtensible(reader);
    default: {
      const kind = COMPARISONS.get(tag as 0xa3);
      if (!kind) throw new BerError(`no filter has tag ${tag}`);
      return { kind, attribute: reader.text(), value: reader.expect(0x04) };
    }
  }
}

function decodeSubstrings(reader: BerReader): Filter {
  const attribute = reader.text();
  const pieces = reader.sequence();
  const any: Buffer[] = [];
  let initial: Buffer | null = null;
  let final: Buffer | null = null;
  while (pieces.more) {
    const { tag, content } = pieces.element();
    if (tag === 0x80) initial = content;
    else if (tag === 0x81) any.push(content);
    else if (tag === 0x82) final = content;
    else throw new BerError(`no substring has tag ${tag}`);
  }
  return { kind: 'substrings', attribute, initial, any, final };
}

function decodeExtensible(reader: BerReader): Filter {
  const rule = reader.optional(0x81)?.toString() ?? null;
  const attribute = reader.optional(0x82)?.toString() ?? null;
  const value = reader.expect(0x83);
  const dn = reader.optional(0x84);
  return { kind: 'extensible', rule, attribute, value, dnAttributes: dn !== undefined && booleanOf(dn) };
}

const SIGNS = { equal: '=', greater: '>=', less: '<=', approx: '~=' } as const;

/** The filter as text, for the transcript. */
export function filterText(filter: Filter): string {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return `(${filter.kind === 'and' ? '&' : '|'}${filter.parts.map(filterText).join('')})`;
    case 'not':
      return `(!${filterText(filter.part)})`;
    case 'present':
      return `(${filter.attribute}=*)`;
    case 'substrings': {
      const pieces = [filter.initial, ...filter.any, filter.final].map((piece) => (piece ? valueText(piece) : ''));
      return `(${filter.attribute}=${pieces.join('*')})`;
    }
    case 'extensible': {
      const rule = filter.rule === null ? '' : `:${filter.rule}`;
      return `(${filter.attribute ?? ''}${filter.dnAttributes ? ':dn' : ''}${rule}:=${valueText(filter.value)})`;
    }
    case 'equal':
    case 'approx':
    case 'greater':
    case 'less':
      return `(${filter.attribute}${SIGNS[filter.kind]}${valueText(filter.value)})`;
  }
}

/** Text as it is; what is no text, and RFC 4515's own signs, as `\xx`. */
function valueText(value: Buffer): string {
  const isText = Buffer.from(value.toString()).equals(value);
  if (isText) return value.toString().replace(/[*()\\\0]/g, (char) => hex(char.charCodeAt(0)));
  return [...value].map(hex).join('');
}

function hex(byte: number): string {
  return `\\${byte.toString(16).padStart(2, '0')}`;
}
