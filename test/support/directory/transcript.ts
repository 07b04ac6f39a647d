/** Everything that was asked of the directory, in order, for tests to look at. Passwords are never in it. */
import { parseSearchControls } from './controls.js';
import { filterText } from './filter.js';
import type { Message } from './message.js';
import type { Scope } from './store.js';

interface Common {
  /** Connections are counted from 1. */
  readonly connection: number;
  readonly messageId: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Whether it came over TLS. */
  readonly encrypted: boolean;
  /** Who was bound when it came: as Who am I? says it, '' for nobody. */
  readonly boundAs: string;
  readonly controls: readonly string[];
  /** Result code, once it is answered. */
  result: number | null;
}

type Asked =
  | { readonly kind: 'bind'; readonly name: string; readonly method: 'simple' | 'sasl' }
  | { readonly kind: 'unbind' }
  | {
      readonly kind: 'search';
      readonly base: string;
      readonly scope: Scope;
      readonly filter: string;
      readonly attributes: readonly string[];
      readonly sizeLimit: number;
      readonly timeLimit: number;
      readonly typesOnly: boolean;
      readonly page: { readonly size: number; readonly continued: boolean } | null;
      /** Entries sent so far. */
      entries: number;
    }
  | { readonly kind: 'abandon'; readonly target: number }
  | { readonly kind: 'extended'; readonly oid: string }
  | { readonly kind: 'other'; readonly name: string };

export type Operation = Common & Asked;

export type SearchOperation = Extract<Operation, { kind: 'search' }>;

/** The line for a message that has just come. */
export function operationOf(
  { id, request, controls }: Message,
  from: Pick<Common, 'connection' | 'encrypted' | 'boundAs'>,
): Operation {
  const common = { ...from, messageId: id, at: Date.now(), controls: controls.map(({ oid }) => oid), result: null };
  return { ...common, ...asked(request, controls) };
}

function asked(request: Message['request'], controls: Message['controls']): Asked {
  switch (request.kind) {
    case 'bind':
      return { kind: 'bind', name: request.name, method: request.password === null ? 'sasl' : 'simple' };
    case 'search':
      return { ...request, filter: filterText(request.filter), page: pageOf(controls), entries: 0 };
    case 'other':
      return { kind: 'other', name: request.name };
    case 'unbind':
    case 'abandon':
    case 'extended':
      return request;
  }
}

function pageOf(controls: Message['controls']): { size: number; continued: boolean } | null {
  try {
    const { page } = parseSearchControls(controls);
    return page && { size: page.size, continued: page.cookie.length > 0 };
  } catch {
    return null;
  }
}
