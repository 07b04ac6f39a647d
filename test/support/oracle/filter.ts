/** Does an LDIF entry match a filter? The part of RFC 4515 that dynamic lists of the tests are written in, read by hand. */
import type { LdifEntry } from '../ldif.js';

/** Understands `&`, `|`, `!`, equality, presence and `*` in values, all without regard to case. Throws for anything else. */
export function matches(entry: LdifEntry, filter: string): boolean {
  const [result, rest] = evaluate(entry, filter.trim());
  if (rest !== '') throw new Error(`The oracle does not understand ${rest}.`);
  return result;
}

/** The result of the filter at the beginning of the text, and what is behind it. */
function evaluate(entry: LdifEntry, text: string): [boolean, string] {
  if (!text.startsWith('(')) throw new Error(`The oracle expected a filter at ${text}.`);
  const sign = text.charAt(1);
  if (sign !== '&' && sign !== '|' && sign !== '!') {
    const end = text.indexOf(')');
    return [item(entry, text.slice(1, end)), text.slice(end + 1)];
  }
  const results: boolean[] = [];
  let rest = text.slice(2);
  while (rest.startsWith('(')) {
    const [result, behind] = evaluate(entry, rest);
    results.push(result);
    rest = behind;
  }
  const value = sign === '&' ? results.every(Boolean) : sign === '|' ? results.some(Boolean) : results[0] === false;
  return [value, rest.slice(1)];
}

function item(entry: LdifEntry, text: string): boolean {
  const at = text.indexOf('=');
  const name = text.slice(0, at).toLowerCase();
  const wanted = text
    .slice(at + 1)
    .toLowerCase()
    .split('*');
  const values = Object.entries(entry.attributes)
    .filter(([key]) => key.toLowerCase() === name)
    .flatMap(([, list]) => list.map((value) => value.toString().toLowerCase()));
  return values.some((value) => {
    if (wanted.length === 1) return value === wanted[0];
    const [first = '', last = ''] = [wanted[0], wanted.at(-1)];
    return value.startsWith(first) && value.endsWith(last) && value.length >= first.length + last.length;
  });
}
