import assert from 'node:assert/strict';
import type { DirectoryObject } from '../../../engine/model/records.js';
import { entry, pageEnd, result } from './ber-text.js';
import { type WholeRead, plainClient, readAll, settingsFor, withServer } from './reading.js';
import { type Answer, type Request, behaved } from './scripted-server.js';

const GUID = Buffer.alloc(16, 0x11);
const BASE = '<GUID=11111111-1111-1111-1111-111111111111>';
const MOST = 1_500;

const memberDn = (number: number) => `CN=Member ${number},DC=example,DC=test`;
const membersTo = (count: number) => Array.from({ length: count }, (_, number) => memberDn(number));
const identity: [string, (string | Buffer)[]][] = [
  ['objectClass', ['top', 'group']],
  ['objectGUID', [GUID]],
];

/** From which value on a request asks. */
function fromOf({ bytes }: Request): number {
  return Number(/member;range=(\d+)-\*/.exec(bytes.toString('latin1'))?.[1]);
}

/** The part that a server gives that allows `MOST` values at once; it chooses the end of the range itself. */
function partOf(values: readonly string[], from: number): [string, string[]] {
  const last = from + MOST >= values.length;
  return [`member;range=${from}-${last ? '*' : String(from + MOST - 1)}`, values.slice(from, from + MOST)];
}

/** A server with one group. `state` is asked at each request what the members and the update sequence number are. */
function groupServer(state: () => { values: readonly string[]; usn: number }): Answer {
  return behaved((request) => {
    const { values, usn } = state();
    const mark: [string, string[]] = ['uSNChanged', [String(usn)]];
    if (request.base !== BASE) {
      const members: [string, string[]][] =
        values.length > MOST ? [['member', []], partOf(values, 0)] : values.length > 0 ? [['member', [...values]]] : [];
      return [
        entry(request.id, 'CN=Group,DC=example,DC=test', [...identity, ...members, mark]),
        pageEnd(request.id, ''),
      ];
    }
    const from = fromOf(request);
    const rest: [string, string[]][] = from < values.length ? [partOf(values, from)] : [];
    return [entry(request.id, 'CN=Group,DC=example,DC=test', [...rest, mark]), result(request.id, 0x65, 0)];
  });
}

function readGroup(answer: Answer): Promise<WholeRead & { group: DirectoryObject }> {
  return withServer(answer, async ({ port }) => {
    const read = await readAll(settingsFor(port));
    const [group] = read.records;
    assert.ok(group?.kind === 'group');
    return { ...read, group };
  });
}

describe('range retrieval', () => {
  for (const size of [0, 1, 1_499, 1_500, 1_501, 3_000, 5_000, 5_001, 65_536]) {
    it(`a group of ${size} members is read exactly`, async () => {
      const { group, seal } = await readGroup(groupServer(() => ({ values: membersTo(size), usn: 1 })));
      assert.deepEqual(group.attributes['member'] ?? [], membersTo(size));
      assert.equal(group.held, undefined);
      assert.equal(seal.complete, true);
      assert.deepEqual(seal.proof?.ranges, size > MOST ? { started: 1, ended: 1 } : { started: 0, ended: 0 });
    }).timeout(10_000);
  }

  it('negative control: plain ldapts shows a group of 1,501 as empty', async () => {
    await withServer(
      groupServer(() => ({ values: membersTo(1_501), usn: 1 })),
      async ({ port }) => {
        const client = await plainClient(port);
        const { searchEntries } = await client.search('DC=example,DC=test', { attributes: ['member'] });
        assert.deepEqual(searchEntries[0]?.['member'], []);
        await client.unbind();
      },
    );
  });

  it('values that change during the read are read again from the beginning', async () => {
    let requests = 0;
    const before = membersTo(4_000);
    const after = before.filter((_, number) => number % 10 !== 0);
    const { group } = await readGroup(
      groupServer(() => {
        requests += 1;
        return requests > 2 ? { values: after, usn: 2 } : { values: before, usn: 1 };
      }),
    );
    assert.deepEqual(group.attributes['member'], after);
    assert.equal(group.held, undefined);
  });

  it('negative control: without the change mark, members would be missed', async () => {
    let requests = 0;
    const before = membersTo(4_000);
    const after = before.slice(100);
    const { group } = await readGroup(
      groupServer(() => {
        requests += 1;
        return { values: requests > 1 ? after : before, usn: 1 };
      }),
    );
    const got = new Set(group.attributes['member']);
    assert.ok(after.some((member) => !got.has(member)));
  });

  it('values that shrink below the limit meanwhile come whole', async () => {
    let requests = 0;
    const answer = groupServer(() => {
      requests += 1;
      return requests > 1 ? { values: membersTo(3), usn: 2 } : { values: membersTo(2_000), usn: 1 };
    });
    const { group } = await readGroup(answer);
    assert.deepEqual(group.attributes['member'], membersTo(3));
    assert.equal(group.held, undefined);
  });

  it('a group that changes at every request is held, and the read goes on', async () => {
    let usn = 0;
    const { group, seal } = await readGroup(groupServer(() => ({ values: membersTo(5_000), usn: (usn += 1) })));
    assert.match(group.held?.['member'] ?? '', /changed again and again/);
    assert.deepEqual(seal.proof?.ranges, { started: 1, ended: 0 });
    assert.equal(seal.complete, true);
  });

  it('a range that does not close is held', async () => {
    const answer = behaved((request) => {
      const part: [string, string[]] = ['member;range=0-1499', membersTo(1_500)];
      if (request.base === BASE) return result(request.id, 0x65, 32);
      return [entry(request.id, 'CN=Group', [...identity, part]), pageEnd(request.id, '')];
    });
    const { group } = await readGroup(answer);
    assert.match(group.held?.['member'] ?? '', /not found any more/);
    assert.equal(group.attributes['member']?.length, 1_500);
  });

  it('a server that gives the wrong range is not believed', async () => {
    const again: [string, string[]] = ['member;range=0-9', membersTo(10)];
    const answer = behaved((request) => [
      entry(request.id, 'CN=Group', [...identity, again]),
      request.base === BASE ? result(request.id, 0x65, 0) : pageEnd(request.id, ''),
    ]);
    const { group } = await readGroup(answer);
    assert.match(group.held?.['member'] ?? '', /gave no values from number/);
  });

  it('a connection lost within a range fails the read', async () => {
    const { failure, seal } = await withServer(
      behaved((request, socket) => {
        if (request.base === BASE) {
          socket.destroy();
          return undefined;
        }
        const part: [string, string[]] = ['member;range=0-1499', membersTo(1_500)];
        return [entry(request.id, 'CN=Group', [...identity, part]), pageEnd(request.id, '')];
      }),
      ({ port }) => readAll(settingsFor(port)),
    );
    assert.equal(failure?.code, 'CONNECTION_LOST');
    assert.equal(seal.complete, false);
  });
});
