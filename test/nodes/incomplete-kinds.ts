/** Ways in which a read can be incomplete, and a directory from which people, a group, a member and an alias have gone. */
import type { Quirks } from '../support/directory/quirks.js';
import { type LdifEntry, parseLdif } from '../support/ldif.js';
import type { Answer, Tamper } from '../support/tamper.js';
import { disconnection, integer, message, pageEnd, result, tlv } from '../unit/ldap/ber-text.js';

export const BASE = 'DC=example,DC=test';
export const STAFF = `OU=Staff,${BASE}`;
export const USER = `CN=Reader,CN=Users,${BASE}`;

/** Before: twelve people, two groups. After: three people, one group, one member, one alias and one title are gone. */
export function directoryEntries(when: 'before' | 'after'): LdifEntry[] {
  const after = when === 'after';
  const person = (number: number) => `dn: CN=P${String(number)},${STAFF}
objectClass: user
mail: p${String(number)}@example.com
proxyAddresses: SMTP:p${String(number)}@example.com
${after && number === 1 ? '' : `proxyAddresses: smtp:alias${String(number)}@example.com\n`}${after && number === 2 ? '' : 'title: Clerk\n'}`;
  const list = (name: string, numbers: readonly number[]) => `dn: CN=${name},${STAFF}
objectClass: group
groupType: 8
${numbers.map((number) => `member: CN=P${String(number)},${STAFF}`).join('\n')}
`;
  const numbers = Array.from({ length: after ? 9 : 12 }, (_, index) => index + 1);
  return parseLdif(
    [
      `dn: ${STAFF}\nobjectClass: organizationalUnit\n`,
      ...numbers.map(person),
      list(
        'Team',
        numbers.filter((number) => !after || number !== 9),
      ),
      ...(after ? [] : [list('Other', [1, 2])]),
    ].join('\n'),
  );
}

/** What that takes from an account. */
export const GONE: readonly string[] = [
  'alias alias1@example.com',
  'attribute title=Clerk of p2@example.com',
  ...[10, 11, 12].flatMap((number) => [
    `alias alias${String(number)}@example.com`,
    `attribute title=Clerk of p${String(number)}@example.com`,
    `member user:p${String(number)}@example.com of Team`,
    `user p${String(number)}@example.com`,
  ]),
  'group Other',
  'member user:p1@example.com of Other',
  'member user:p2@example.com of Other',
  'member user:p9@example.com of Team',
].sort();
/** What stays where the members of the group were not read whole. */
export const MEMBER_GONE = 'member user:p9@example.com of Team';

export interface Kind {
  readonly name: string;
  /** What the directory does. */
  readonly quirks?: Partial<Quirks>;
  /** What becomes of an answer on its way. */
  readonly tamper?: Tamper;
  /** Settings of the nodes. */
  readonly server?: Record<string, unknown>;
  readonly extract?: Record<string, unknown>;
}

const pageEnds = (make: (answer: Answer) => ReturnType<Tamper>, page = 1): Tamper => {
  return (answer) => (answer.operation === 0x65 && answer.paged && answer.page === page ? make(answer) : undefined);
};
const entryIs = (make: (answer: Answer) => ReturnType<Tamper>): Tamper => {
  return (answer) =>
    answer.operation === 0x64 && answer.paged && answer.page === 1 && answer.entry === 2 ? make(answer) : undefined;
};
const bindIs = (make: (answer: Answer) => ReturnType<Tamper>): Tamper => {
  return (answer) => (answer.operation === 0x61 ? make(answer) : undefined);
};
/** Who am I?, asked at the end. */
const lastIdentityIs = (make: (answer: Answer) => ReturnType<Tamper>): Tamper => {
  return (answer) => (answer.operation === 0x78 && answer.earlier === 1 ? make(answer) : undefined);
};
const identity = (id: number, text: string, code = 0) =>
  message(id, tlv(0x78, integer(code, 0x0a), tlv(4), tlv(4), tlv(0x8b, text)));

/** Results with which a directory ends a search (RFC 4511, A.1). */
const CODES: Readonly<Record<number, string>> = {
  1: 'operations error',
  2: 'protocol error',
  3: 'time limit exceeded',
  4: 'size limit exceeded',
  10: 'referral',
  11: 'administrative limit exceeded',
  32: 'no such object',
  50: 'insufficient access rights',
  51: 'busy',
  52: 'unavailable',
  53: 'unwilling to perform',
  80: 'other',
};
/** Reasons why Active Directory refuses a password. */
const REFUSED = { '52e': 'wrong', '533': 'disabled', '701': 'expired', '775': 'locked out' };

/** In reading: of the directory, of the connection, of the settings. */
export const READING: readonly Kind[] = [
  ...Object.entries(CODES).map(([code, name]) => ({
    name: `the second page ends with code ${code}, ${name}`,
    tamper: pageEnds(({ id }) => result(id, 0x65, Number(code), name)),
  })),
  { name: 'a time limit after some entries', quirks: { timeLimitExceededAfter: 7 } },
  { name: 'a size limit after some entries', quirks: { sizeLimitExceeded: 7 } },
  { name: 'a page without the paging control', quirks: { pageWithoutControl: 2 } },
  { name: 'an empty page, then one without the control', quirks: { emptyPageWithCookie: [1], pageWithoutControl: 2 } },
  { name: 'an error with a cookie, as if to go on', tamper: pageEnds(({ id }) => pageEnd(id, 'next', 3)) },
  { name: 'a cookie that is discarded, each time', quirks: { cookieDiscarded: { afterPages: 1, times: 99 } } },
  {
    name: 'a page with more entries than were asked for',
    tamper: entryIs(({ bytes }) => Buffer.concat(Array.from({ length: 6 }, () => bytes))),
  },
  { name: 'the connection ends after some entries', quirks: { disconnectAfter: 7 } },
  { name: 'the connection ends before a page does', tamper: pageEnds(() => 'cut') },
  { name: 'the connection ends within an entry', tamper: entryIs(() => 'half') },
  { name: 'the connection is reset', tamper: pageEnds(() => 'reset') },
  { name: 'a black hole in the middle', tamper: pageEnds(() => 'silence') },
  { name: 'a directory that falls silent', quirks: { silentAfter: 5 } },
  { name: 'a notice of disconnection', quirks: { noticeOfDisconnection: 7 } },
  { name: 'a notice of disconnection in place of a page end', tamper: pageEnds(() => disconnection(52, 'gone')) },
  { name: 'a message of indefinite length', tamper: entryIs(() => Buffer.from('3080020102', 'hex')) },
  { name: 'a message with the number 0', tamper: entryIs(() => result(0, 0x65, 0)) },
  { name: 'a message that ends too early', tamper: entryIs(({ bytes }) => bytes.subarray(0, -7)) },
  { name: 'bytes that are no LDAP', tamper: entryIs(() => Buffer.from('HTTP/1.1 200 OK\r\n\r\n')) },
  {
    name: 'an entry whose values claim more than is there',
    tamper: entryIs(({ id }) =>
      message(
        id,
        tlv(0x64, tlv(4, 'CN=x'), tlv(0x30, tlv(0x30, tlv(4, 'cn'), Buffer.from('3184000000ff0401', 'hex')))),
      ),
    ),
  },
  { name: 'the answer to a question nobody asked', tamper: pageEnds(({ id }) => result(id + 1000, 0x65, 0)) },
  { name: 'a bind that is answered with something else', tamper: bindIs(({ id }) => result(id, 0x65, 0)) },
  { name: 'a bind that asks for more security', tamper: bindIs(({ id }) => result(id, 0x61, 8)) },
  { name: 'a bind that is not answered', tamper: bindIs(() => 'silence') },
  { name: 'encryption is required', quirks: { requireEncryption: true } },
  ...Object.entries(REFUSED).map(([data, why]) => ({
    name: `the password is refused: ${why}`,
    quirks: { bindDataCode: data },
  })),
  { name: 'somebody else at the end', tamper: lastIdentityIs(({ id }) => identity(id, 'u:EXAMPLE\\other')) },
  { name: 'nobody at the end', tamper: lastIdentityIs(({ id }) => identity(id, '')) },
  { name: 'no answer about who it is at the end', tamper: lastIdentityIs(({ id }) => identity(id, '', 53)) },
  { name: 'the branch with the canary cannot be seen', quirks: { hideBelow: [STAFF] } },
  { name: 'a canary that does not exist', extract: { canaries: `CN=Nobody,${STAFF}` } },
  { name: 'a base that does not exist', server: { base: `OU=Nowhere,${BASE}` }, extract: { canaries: '' } },
  { name: 'a base of another forest', server: { base: 'DC=elsewhere,DC=test' }, extract: { canaries: '' } },
  { name: 'a branch that does not exist', extract: { include: `${STAFF}\nOU=Nowhere,${BASE}` } },
  { name: 'a port where nobody listens', server: { servers: '127.0.0.1:1' } },
  { name: 'a host that nobody knows', server: { servers: 'nowhere.invalid:389' } },
  { name: 'TLS on a port that has none', server: { encryption: 'ldaps' } },
  { name: 'StartTLS is refused', server: { encryption: 'starttls' } },
  { name: 'the time for the run is over', server: { runTimeout: 1 }, quirks: { delayPerPageMs: 400 } },
];

/** A kind on the way from node to node: function nodes before enrich, or behind it. */
export interface KindOnTheWay {
  readonly name: string;
  readonly early?: string;
  readonly late?: string;
  /** What comes of it: a report that says incomplete, no report at all, or a group that is held in a complete run. */
  readonly then: 'incomplete' | 'nothing' | 'held';
}

/** One whose messages are to be spoilt says so: what starts a run is carried on in each of its messages. */
const when = (condition: string, work: string) => `if (msg.spoil && (${condition})) { ${work} }\nreturn msg;`;
const batch = (number: number) => `msg.topic === 'batch' && msg.run.batch === ${String(number)}`;
const ANY_BATCH = `msg.topic === 'batch'`;
const SEAL = `msg.topic === 'seal'`;

export const ON_THE_WAY: readonly KindOnTheWay[] = [
  { name: 'the first batch is dropped', late: when(batch(0), 'return null;'), then: 'incomplete' },
  { name: 'a batch is dropped', late: when(batch(2), 'return null;'), then: 'incomplete' },
  { name: 'a batch is dropped before enrich', early: when(batch(1), 'return null;'), then: 'incomplete' },
  { name: 'a function node throws at a batch', late: when(batch(1), 'throw new Error("x");'), then: 'incomplete' },
  { name: 'a batch becomes text', late: when(batch(1), 'msg.payload = "text";'), then: 'incomplete' },
  { name: 'a batch goes to another run', late: when(batch(1), 'msg.run.id = "another-run";'), then: 'incomplete' },
  { name: 'a batch takes the number of another', late: when(batch(1), 'msg.run.batch = 0;'), then: 'incomplete' },
  { name: 'the seal says incomplete', late: when(SEAL, 'msg.payload.complete = false;'), then: 'incomplete' },
  {
    name: 'the seal says incomplete to enrich',
    early: when(SEAL, 'msg.payload.complete = false;'),
    then: 'incomplete',
  },
  { name: 'the seal speaks of more batches', late: when(SEAL, 'msg.payload.batches += 1;'), then: 'incomplete' },
  { name: 'the seal does not say whether', late: when(SEAL, 'delete msg.payload.complete;'), then: 'nothing' },
  { name: 'the seal is no seal', late: when(SEAL, 'msg.payload = { kind: "seal" };'), then: 'nothing' },
  { name: 'the seal is dropped', late: when(SEAL, 'return null;'), then: 'nothing' },
  { name: 'the seal is dropped before enrich', early: when(SEAL, 'return null;'), then: 'nothing' },
  {
    name: 'members say that they are not whole',
    late: when(ANY_BATCH, 'for (const one of msg.payload) if (one.kind === "members") one.held = "x";'),
    then: 'held',
  },
  {
    name: 'a part of the members is taken out',
    late: when(
      ANY_BATCH,
      'msg.payload = msg.payload.filter((one) => one.kind !== "members" || one.parts === 1 || one.part !== 1);',
    ),
    then: 'held',
  },
  {
    name: 'a member of whom nothing is said',
    late: when(ANY_BATCH, 'for (const one of msg.payload) if (one.kind === "members") one.add.push({});'),
    then: 'held',
  },
];
