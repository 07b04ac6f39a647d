/**
 * Filters evaluated against objects, in three values (RFC 4511 section 4.5.1.7): true, false, and undefined where the
 * schema lacks the attribute or its syntax cannot take the value. Only true selects an object.
 */
import type { LdifValue } from '../ldif.js';
import type { Filter } from './filter.js';
import { guidBytes, sidBytes } from './ids.js';
import type { DirectoryObject } from './object.js';
import { SECRET, type Syntax, attributeFact, classFact } from './schema.js';
import type { Store } from './store.js';

export type Verdict = boolean | undefined;
export type Predicate = (object: DirectoryObject) => Verdict;

const BIT_AND = '1.2.840.113556.1.4.803';
const BIT_OR = '1.2.840.113556.1.4.804';
const IN_CHAIN = '1.2.840.113556.1.4.1941';

/** Compiles a filter for objects of a store; `schemaDn` is where objectCategory's short names point to. */
export function compileFilter(filter: Filter, store: Store, schemaDn: string): Predicate {
  const compile = (part: Filter): Predicate => compileFilter(part, store, schemaDn);
  if (filter.kind === 'and' || filter.kind === 'or') {
    const parts = filter.parts.map(compile);
    return filter.kind === 'and' ? allOf(parts) : anyOf(parts);
  }
  if (filter.kind === 'not') {
    const part = compile(filter.part);
    return (object) => negate(part(object));
  }
  return compileItem(filter, store, schemaDn);
}

type Item = Exclude<Filter, { kind: 'and' | 'or' | 'not' }>;

function compileItem(item: Item, store: Store, schemaDn: string): Predicate {
  if (item.kind === 'extensible') return extensible(item, store);
  const attribute = item.attribute.toLowerCase();
  if (attribute === 'anr' && item.kind === 'equal') return compileFilter(ambiguousName(item.value), store, schemaDn);
  if (!store.knows(attribute)) return () => undefined;
  if (attributeFact(attribute)?.constructed === true || SECRET.has(attribute)) return () => false;

  const syntax = attributeFact(attribute)?.syntax ?? 'text';
  switch (item.kind) {
    case 'present':
      return (object) => (store.read(object, attribute)?.length ?? 0) > 0;
    case 'substrings':
      return substrings(item, attribute, syntax, store);
    case 'greater':
    case 'less':
      return ordering(item, attribute, syntax, store);
    case 'equal':
    case 'approx':
      return syntax === 'dn'
        ? namedObject(attribute, item.value.toString(), store, schemaDn)
        : equality(item.value, attribute, syntax, store);
  }
}

function equality(value: Buffer, attribute: string, syntax: Syntax, store: Store): Predicate {
  const wanted = assertion(value, syntax);
  if (wanted === null) return () => undefined;
  return (object) => store.read(object, attribute)?.some((one) => comparable(one, syntax) === wanted) ?? false;
}

function ordering(
  item: { kind: 'greater' | 'less'; value: Buffer },
  attribute: string,
  syntax: Syntax,
  store: Store,
): Predicate {
  const bound = assertion(item.value, syntax);
  if (bound === null || syntax === 'dn' || syntax === 'class') return () => undefined;
  const holds = (one: LdifValue) => {
    const value = comparable(one, syntax);
    return value !== null && (item.kind === 'greater' ? value >= bound : value <= bound);
  };
  return (object) => store.read(object, attribute)?.some(holds) ?? false;
}

function substrings(
  item: Extract<Filter, { kind: 'substrings' }>,
  attribute: string,
  syntax: Syntax,
  store: Store,
): Predicate {
  // The other syntaxes have no substring rule; Active Directory then finds nothing.
  if (syntax !== 'text' && syntax !== 'octets') return () => undefined;
  const fold = (value: LdifValue | null) => (value === null ? '' : (comparable(value, syntax) as string));
  const initial = fold(item.initial);
  const final = fold(item.final);
  const any = item.any.map(fold);
  const holds = (one: LdifValue) => {
    const text = fold(one);
    if (!text.startsWith(initial)) return false;
    let at = initial.length;
    for (const piece of any) {
      const found = text.indexOf(piece, at);
      if (found < 0) return false;
      at = found + piece.length;
    }
    return text.length - final.length >= at && text.endsWith(final);
  };
  return (object) => store.read(object, attribute)?.some(holds) ?? false;
}

function namedObject(attribute: string, name: string, store: Store, schemaDn: string): Predicate {
  const category = attribute === 'objectcategory' ? classFact(name)?.category : undefined;
  const target = store.keyOfName(category === undefined ? name : `CN=${category},${schemaDn}`);
  if (target === null) return () => undefined;
  if (attribute === 'distinguishedname') return (object) => object.key === target;
  const sources = store.sourcesOf(attribute, target);
  return (object) => sources.has(object.key);
}

function extensible(item: Extract<Filter, { kind: 'extensible' }>, store: Store): Predicate {
  const attribute = item.attribute?.toLowerCase();
  if (attribute === undefined || !store.knows(attribute)) return () => undefined;
  const syntax = attributeFact(attribute)?.syntax ?? 'text';
  switch (item.rule) {
    case BIT_AND:
    case BIT_OR: {
      const mask = integer(item.value.toString());
      if (mask === null || syntax !== 'integer') return () => undefined;
      const holds = (one: LdifValue) => {
        const bits = (integer(String(one)) ?? 0n) & mask;
        return item.rule === BIT_AND ? bits === mask : bits !== 0n;
      };
      return (object) => store.read(object, attribute)?.some(holds) ?? false;
    }
    case IN_CHAIN: {
      const target = syntax === 'dn' ? store.keyOfName(item.value.toString()) : null;
      if (target === null) return () => undefined;
      const reaching = chainTo(attribute, target, store);
      return (object) => reaching.has(object.key);
    }
    case null:
      return equality(item.value, attribute, syntax, store);
    default:
      return () => undefined;
  }
}

/** Keys of all objects from which `target` is reached by following the attribute, however often. */
function chainTo(attribute: string, target: string, store: Store): Set<string> {
  const reached = new Set<string>();
  const waiting = [target];
  for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
    for (const source of store.sourcesOf(attribute, key)) {
      if (reached.has(source)) continue;
      reached.add(source);
      waiting.push(source);
    }
  }
  return reached;
}

/** Ambiguous name resolution (MS-ADTS 3.1.1.3.1.3.4): the beginnings of what people are known by. */
function ambiguousName(value: Buffer): Filter {
  const names = ['displayName', 'givenName', 'sn', 'name', 'mail', 'proxyAddresses', 'sAMAccountName'];
  return {
    kind: 'or',
    parts: [
      ...names.map((attribute) => ({ kind: 'substrings', attribute, initial: value, any: [], final: null }) as const),
      { kind: 'equal', attribute: 'legacyExchangeDN', value },
    ],
  };
}

/** The value of a filter in the form that {@link comparable} gives; null where the syntax cannot take it. */
function assertion(value: Buffer, syntax: Syntax): string | bigint | null {
  const text = value.toString();
  if (syntax === 'guid') return (guidBytes(text) ?? value).toString('latin1');
  if (syntax === 'sid') return (sidBytes(text) ?? value).toString('latin1');
  if (syntax === 'octets') return value.toString('latin1');
  return comparable(text, syntax);
}

/** A stored value such that equal values are equal and ordered values are ordered. */
function comparable(value: LdifValue, syntax: Syntax): string | bigint | null {
  switch (syntax) {
    case 'integer':
      return integer(String(value));
    case 'guid':
    case 'sid':
    case 'octets':
      return (typeof value === 'string' ? Buffer.from(value) : value).toString('latin1');
    case 'time':
      return /^\d{14}/.exec(String(value))?.[0] ?? null;
    case 'text':
    case 'dn':
    case 'class':
    case 'boolean':
      return String(value).toLowerCase();
  }
}

function integer(text: string): bigint | null {
  return /^-?\d{1,20}$/.test(text) ? BigInt(text) : null;
}

function allOf(parts: readonly Predicate[]): Predicate {
  return (object) => {
    let verdict: Verdict = true;
    for (const part of parts) {
      const one = part(object);
      if (one === false) return false;
      if (one === undefined) verdict = undefined;
    }
    return verdict;
  };
}

function anyOf(parts: readonly Predicate[]): Predicate {
  return (object) => {
    let verdict: Verdict = false;
    for (const part of parts) {
      const one = part(object);
      if (one === true) return true;
      if (one === undefined) verdict = undefined;
    }
    return verdict;
  };
}

function negate(verdict: Verdict): Verdict {
  return verdict === undefined ? undefined : !verdict;
}
