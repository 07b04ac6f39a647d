/** Writes entries as LDIF (RFC 2849) for the programs that load a real server. */
import type { LdifEntry } from './ldif.js';

/** A value as LDIF writes it: in clear where that is safe, else in base64. Lines are not folded. */
export function ldifLine(attribute: string, value: string | Buffer): string {
  const bytes = Buffer.from(value);
  const safe = /^[\x21-\x39\x3b\x3d-\x7e][\x20-\x7e]*$/.test(bytes.toString('latin1')) && bytes.at(-1) !== 0x20;
  return safe ? `${attribute}: ${bytes.toString('latin1')}` : `${attribute}:: ${bytes.toString('base64')}`;
}

/** Entries to be added, without the attributes that `leaveOut` names (in lower case). */
export function contentText(entries: readonly LdifEntry[], leaveOut: ReadonlySet<string> = new Set()): string {
  return entries
    .map(({ dn, attributes }) =>
      [
        ldifLine('dn', dn),
        ...Object.entries(attributes)
          .filter(([name]) => !leaveOut.has(name.toLowerCase()))
          .flatMap(([name, values]) => values.map((value) => ldifLine(name, value))),
      ].join('\n'),
    )
    .join('\n\n')
    .concat('\n');
}

/** Changes that add the members of every group. For servers that take no member before it is there itself. */
export function memberText(entries: readonly LdifEntry[]): string {
  return entries
    .map((entry) => ({ dn: entry.dn, members: entry.attributes['member'] ?? [] }))
    .filter(({ members }) => members.length > 0)
    .map(({ dn, members }) =>
      [
        ldifLine('dn', dn),
        'changetype: modify',
        'add: member',
        ...members.map((member) => ldifLine('member', member)),
        '-',
      ].join('\n'),
    )
    .join('\n\n')
    .concat('\n');
}
