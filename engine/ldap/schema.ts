/** What the schema of Active Directory says of attributes: which are octet strings, though their bytes may look like text. */
import { DirectoryError } from '../model/errors.js';
import { parseFilter } from './filter.js';
import { escapeFilterText } from './forest.js';
import type { Session } from './session.js';
import { type Syntax, type Syntaxes, isKnownSyntax } from './syntax.js';

/** Octet strings, security descriptors and SIDs by attributeSyntax ([MS-ADTS] 3.1.1.2.2.2). */
const BINARY = new Map<string, Syntax>([
  ['2.5.5.10', 'binary'],
  ['2.5.5.15', 'binary'],
  ['2.5.5.17', 'sid'],
]);
const NAMES_AT_ONCE = 50;

/**
 * The syntaxes of those of these attributes that are no text, as the schema has them. Where it cannot be read, or the server
 * is not Active Directory, the bytes tell: nothing fails. Throws only where the connection ended.
 */
export async function readSyntaxes(session: Session, names: readonly string[]): Promise<Syntaxes> {
  const { schemaNamingContext } = session.rootDse;
  const syntaxes = new Map<string, Syntax>();
  const unknown = names.filter((name) => !isKnownSyntax(name));
  if (schemaNamingContext === null) return syntaxes;
  try {
    for (let at = 0; at < unknown.length; at += NAMES_AT_ONCE) {
      const some = unknown.slice(at, at + NAMES_AT_ONCE);
      const named = some.map((name) => `(lDAPDisplayName=${escapeFilterText(name)})`).join('');
      const slices = session.search({
        base: schemaNamingContext,
        scope: 'one',
        filter: parseFilter(`(&(objectClass=attributeSchema)(|${named}))`),
        attributes: ['lDAPDisplayName', 'attributeSyntax'],
        extendedDn: false,
        marks: false,
        pageSize: session.pageSize,
      });
      for await (const slice of slices) for (const { attributes } of slice) note(attributes, syntaxes);
    }
  } catch (error) {
    if (session.failed || !(error instanceof DirectoryError)) throw error;
  }
  return syntaxes;
}

function note(attributes: Readonly<Record<string, readonly unknown[]>>, syntaxes: Map<string, Syntax>): void {
  const [name] = attributes['lDAPDisplayName'] ?? [];
  const syntax = BINARY.get(String(attributes['attributeSyntax']?.[0]));
  if (typeof name === 'string' && syntax !== undefined) syntaxes.set(name.toLowerCase(), syntax);
}
