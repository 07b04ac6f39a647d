/**
 * Attribute names as they come from the wire, and how their values are to be read: as text, or as one of the octet-string
 * syntaxes. Names are compared without regard to case and given out as they were asked for.
 */

/** How a value becomes JSON. `binary`: base64, also where the bytes happen to be valid text. */
export type Syntax = 'text' | 'guid' | 'sid' | 'binary';
/** By name in lower case; what is not here is as the list below has it, else text. */
export type Syntaxes = ReadonlyMap<string, Syntax>;

/** The octet-string attributes of Active Directory and Exchange that a read may bring; the rest is told by its bytes. */
const KNOWN: readonly (readonly [Syntax, readonly string[]])[] = [
  ['guid', ['objectGUID']],
  ['sid', ['objectSid', 'msExchMasterAccountSid']],
  [
    'binary',
    [
      'attributeSecurityGUID',
      'audio',
      'auditingPolicy',
      'authorityRevocationList',
      'cACertificate',
      'certificateRevocationList',
      'creationWizardExt',
      'crossCertificatePair',
      'dNSProperty',
      'dnsRecord',
      'dSASignature',
      'invocationId',
      'jpegPhoto',
      'logonHours',
      'mS-DS-ConsistencyGuid',
      'msDS-GenerationId',
      'msDS-GroupMSAMembership',
      'msDS-KeyCredentialLink',
      'msDS-ManagedPassword',
      'msDS-OptionalFeatureGUID',
      'msExchArchiveGUID',
      'msExchBlockedSendersHash',
      'msExchDisabledArchiveGUID',
      'msExchMailboxGuid',
      'msExchMailboxSecurityDescriptor',
      'msExchSafeRecipientsHash',
      'msExchSafeSendersHash',
      'msExchUMSpokenName',
      'msRTCSIP-UserRoutingGroupId',
      'nTSecurityDescriptor',
      'objectSidHistory',
      'photo',
      'replPropertyMetaData',
      'replUpToDateVector',
      'repsFrom',
      'repsTo',
      'schemaIDGUID',
      'securityIdentifier',
      'sIDHistory',
      'terminalServer',
      'thumbnailLogo',
      'thumbnailPhoto',
      'tokenGroups',
      'tokenGroupsGlobalAndUniversal',
      'unicodePwd',
      'userCertificate',
      'userParameters',
      'userPassword',
      'userPKCS12',
      'userSMIMECertificate',
      'x500uniqueIdentifier',
    ],
  ],
];
const SYNTAX_BY_NAME = new Map(
  KNOWN.flatMap(([syntax, names]) => names.map((name) => [name.toLowerCase(), syntax] as const)),
);
const MOST_NAMES = 10_000;
const LONGEST_NAME = 256;

/** Changes with every change of an object: of Active Directory, and of servers that have no such number. */
export const CHANGE_MARKS: readonly string[] = ['uSNChanged', 'entryCSN'];
const MARKS = new Set(CHANGE_MARKS.map((name) => name.toLowerCase()));

/** A part of an attribute's values (`member;range=0-1499`, [MS-ADTS] 3.1.1.3.1.3.3). `last` is null for the final part. */
export interface ValueRange {
  readonly first: number;
  readonly last: number | null;
}

/** A key of the records of one search. Several spellings may share it. */
export interface AttributeKey {
  /** The number of the last entry that had it. */
  seenIn: number;
}

/** What is known of one attribute name as the server spells it. Mutable: `following` learns the server's order. */
export interface AttributeName {
  readonly spelling: DataView;
  readonly slot: AttributeKey;
  /** The key in the record. */
  readonly key: string;
  readonly syntax: Syntax;
  readonly range: ValueRange | null;
  /** Says by its value whether the object changed. `hidden`: read for that alone, and no part of the record. */
  readonly mark: boolean;
  readonly hidden: boolean;
  /** Its values, where every object has a few of the same; else null. */
  readonly words: Words | null;
  /** The name that came behind this one in the last entry. */
  following: AttributeName | null;
}

/** The names of one search. */
export class AttributeNames {
  readonly #bySpelling = new Map<string, AttributeName>();
  readonly #requested = new Map<string, string>();
  readonly #slots = new Map<string, AttributeKey>();
  /** Stands before the first attribute of an entry. */
  readonly head: AttributeName = nameOf('', '', true, { seenIn: 0 }, 'text');

  /** `requested`: the attributes as asked for; that is how their keys are spelled. `syntaxes`: what the server's schema says. */
  constructor(
    requested: readonly string[],
    private readonly syntaxes?: Syntaxes,
  ) {
    for (const name of requested) this.#requested.set(name.toLowerCase(), name);
  }

  /** Looks up the name in `bytes` from `start` to `end`, first where the server's order has it. */
  find(bytes: DataView, start: number, end: number, before: AttributeName): AttributeName {
    const guess = before.following;
    if (guess !== null && sameBytes(guess.spelling, bytes, start, end)) return guess;
    const spelling = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
    const known = this.#bySpelling.get(spelling) ?? this.#learn(spelling);
    before.following = known;
    return known;
  }

  #learn(spelling: string): AttributeName {
    const [, plain = spelling, range] = /^(.*?)(?:;range=(\d{1,9}-(?:\d{1,9}|\*)))?$/is.exec(spelling) ?? [];
    const asked = this.#requested.get(plain.toLowerCase());
    const key = asked ?? plain;
    const slot = this.#slots.get(key) ?? { seenIn: 0 };
    const name = nameOf(spelling, key, asked !== undefined, slot, syntaxOf(key, this.syntaxes), range);
    // A server that invents ever new names shall not fill the memory.
    const few = this.#bySpelling.size < MOST_NAMES && spelling.length <= LONGEST_NAME;
    if (few) this.#bySpelling.set(spelling, name);
    if (few || asked !== undefined) this.#slots.set(key, slot);
    return name;
  }
}

function nameOf(
  spelling: string,
  key: string,
  asked: boolean,
  slot: AttributeKey,
  syntax: Syntax,
  range?: string,
): AttributeName {
  const mark = MARKS.has(key.toLowerCase());
  const [first, last] = range?.split('-') ?? [];
  return {
    spelling: viewOf(spelling),
    slot,
    key,
    syntax,
    range: first === undefined ? null : { first: Number(first), last: last === '*' ? null : Number(last) },
    mark,
    hidden: mark && !asked,
    words: key.toLowerCase() === 'objectclass' ? new Words() : null,
    following: null,
  };
}

const MOST_WORDS = 64;
const LONGEST_WORD = 64;

/** The values of an attribute such as objectClass: each string is made, and folded by whoever looks it up, only once. */
export class Words {
  readonly #known: { readonly spelling: DataView; readonly text: string }[] = [];

  /** The word from `start` to `end` of `bytes`; null where it was not learnt. */
  find(bytes: DataView, start: number, end: number): string | null {
    for (const { spelling, text } of this.#known) if (sameBytes(spelling, bytes, start, end)) return text;
    return null;
  }

  /** `text` is ASCII. */
  learn(text: string): void {
    if (this.#known.length === MOST_WORDS || text.length > LONGEST_WORD) return;
    this.#known.push({ spelling: viewOf(text), text });
  }
}

/** How the values of an attribute are read. Options are respected: `;binary` is binary, `cn;lang-de` is as `cn`. */
export function syntaxOf(name: string, more?: Syntaxes): Syntax {
  const [plain = '', ...options] = name.toLowerCase().split(';');
  return options.includes('binary') ? 'binary' : (SYNTAX_BY_NAME.get(plain) ?? more?.get(plain) ?? 'text');
}

/** Whether the attribute is known without a look into the schema. */
export function isKnownSyntax(name: string): boolean {
  return SYNTAX_BY_NAME.has(name.toLowerCase());
}

function viewOf(spelling: string): DataView {
  return new DataView(Uint8Array.from(Buffer.from(spelling, 'latin1')).buffer);
}

/** Four bytes at a time: every name of every entry passes here. */
function sameBytes(spelling: DataView, bytes: DataView, start: number, end: number): boolean {
  const length = end - start;
  if (length !== spelling.byteLength) return false;
  let at = 0;
  for (; at + 4 <= length; at += 4) if (spelling.getUint32(at) !== bytes.getUint32(start + at)) return false;
  for (; at < length; at += 1) if (spelling.getUint8(at) !== bytes.getUint8(start + at)) return false;
  return true;
}
