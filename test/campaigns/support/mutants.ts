/**
 * Mutants of LDAP messages. Some harm bytes without knowing what they are; the others are the classes of anomalies of the
 * PROTOS LDAPv3 suite (c06-ldapv3: BER lengths, tags, integers, strings, elements left out and repeated), made anew here.
 */
import { type BerNode, parseTree, walk, writeTree } from './ber-tree.js';
import type { Random } from './random.js';

type Mutator = (bytes: Buffer, random: Random) => Buffer;

const LENGTHS: readonly [string, ...string[]] = [
  '80', // indefinite
  'ff', // reserved
  '8100',
  '817f',
  '82ffff',
  '83ffffff',
  '847fffffff',
  '8480000000',
  '84ffffffff',
  '850000000001',
  '88ffffffffffffffff',
  '00',
  '7f',
];
const INTEGERS: readonly [string, ...string[]] = [
  '',
  '00',
  'ff',
  '80',
  '7fffffff',
  '80000000',
  'ffffffff',
  '0080000000',
  '7fffffffffffffff',
  'ff'.repeat(64),
  '00'.repeat(1000),
];
const STRINGS: readonly [Buffer, ...Buffer[]] = [
  Buffer.alloc(0),
  Buffer.from('\0'),
  Buffer.from('%s%n%x%d'.repeat(20)),
  Buffer.alloc(70_000, 'A'),
  Buffer.from([0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0, 0x80]),
  Buffer.from('__proto__'),
  Buffer.from('member;range=0-*'),
  Buffer.from('member;range=99999999-0'),
  Buffer.from('../../\r\n\u202e\u0000'),
  Buffer.from('1.2.840.113556.1.4.319'),
];

/** A class of anomalies by its name. */
export const MUTATORS: Readonly<Record<string, Mutator>> = {
  flip: (bytes, random) => {
    const harmed = Buffer.from(bytes);
    for (let count = 1 + random.below(8); count > 0; count -= 1) {
      const at = random.below(harmed.length);
      harmed[at] = (harmed[at] ?? 0) ^ (1 << random.below(8));
    }
    return harmed;
  },
  truncate: (bytes, random) => bytes.subarray(0, random.below(bytes.length)),
  insert: (bytes, random) => {
    const at = random.below(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), random.bytes(1 + random.below(64)), bytes.subarray(at)]);
  },
  remove: (bytes, random) => {
    const at = random.below(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(64))]);
  },
  repeat: (bytes, random) => {
    const at = random.below(bytes.length);
    const part = bytes.subarray(at, at + 1 + random.below(200));
    return Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at)]);
  },
  overwrite: (bytes, random) => {
    const harmed = Buffer.from(bytes);
    random.bytes(1 + random.below(16)).copy(harmed, random.below(bytes.length));
    return harmed;
  },
  noise: (_bytes, random) => random.bytes(1 + random.below(300)),
  length: inTree((all, random) => {
    const { node } = anyOf(all, random);
    node.length = Buffer.from(random.pick(LENGTHS), 'hex');
  }),
  lengthOffByOne: inTree((all, random) => {
    const { node } = anyOf(all, random);
    const right = node.children === null ? node.content.length : writeTree(node.children).length;
    const wrong = Math.max(0, right + random.pick([-2, -1, 1, 2, 100]));
    node.length = Buffer.from([0x84, wrong >>> 24, (wrong >> 16) & 0xff, (wrong >> 8) & 0xff, wrong & 0xff]);
  }),
  tag: inTree((all, random) => {
    anyOf(all, random).node.tag = random.below(256);
  }),
  integer: inTree((all, random) => {
    const some = all.filter(({ node }) => node.tag === 0x02 || node.tag === 0x0a);
    anyOf(some.length > 0 ? some : all, random).node.content = Buffer.from(random.pick(INTEGERS), 'hex');
  }),
  string: inTree((all, random) => {
    const some = all.filter(({ node }) => node.children === null);
    anyOf(some, random).node.content = random.pick(STRINGS);
  }),
  leftOut: inTree((all, random) => {
    const { siblings, index } = anyOf(all, random);
    siblings.splice(index, 1);
  }),
  repeated: inTree((all, random) => {
    const { node, siblings, index } = anyOf(all, random);
    siblings.splice(index, 0, ...Array.from({ length: random.pick([1, 2, 50, 500]) }, () => node));
  }),
  swapped: inTree((all, random) => {
    const one = anyOf(all, random);
    const other = anyOf(all, random);
    // Written and read again: an element put into itself would have no end.
    const [copy] = parseTree(writeTree([other.node]));
    if (copy) one.siblings[one.index] = copy;
  }),
  nested: inTree((all, random) => {
    const { node, siblings, index } = anyOf(all, random);
    let wrapped: BerNode = node;
    for (let depth = random.pick([1, 10, 200]); depth > 0; depth -= 1) {
      wrapped = { tag: 0x30, children: [wrapped], content: Buffer.alloc(0), length: null };
    }
    siblings[index] = wrapped;
  }),
};

const NAMES = Object.keys(MUTATORS);

/** A mutant of well-formed messages, and the class that it is of. One in four is a mutant of a mutant. */
export function mutate(bytes: Buffer, random: Random): { bytes: Buffer; kind: string } {
  const kind = NAMES[random.below(NAMES.length)] ?? 'flip';
  let harmed = MUTATORS[kind]?.(bytes, random) ?? bytes;
  if (random.below(4) === 0 && harmed.length > 0) {
    harmed = random.pick<Mutator>([flipOf, truncateOf, overwriteOf])(harmed, random);
  }
  return { bytes: harmed, kind };
}

const flipOf: Mutator = (bytes, random) => MUTATORS['flip']?.(bytes, random) ?? bytes;
const truncateOf: Mutator = (bytes, random) => MUTATORS['truncate']?.(bytes, random) ?? bytes;
const overwriteOf: Mutator = (bytes, random) => MUTATORS['overwrite']?.(bytes, random) ?? bytes;

interface Place {
  node: BerNode;
  siblings: BerNode[];
  index: number;
}

function inTree(change: (all: Place[], random: Random) => void): Mutator {
  return (bytes, random) => {
    const tree = parseTree(bytes);
    change([...walk(tree)], random);
    return writeTree(tree);
  };
}

function anyOf(all: readonly Place[], random: Random): Place {
  const place = all[random.below(all.length)];
  if (place === undefined) throw new Error('no element to change');
  return place;
}
