/** 2.2 Discarded cookie, L6: what is begun again after a cut, and what is not: ranges, the catalog, the domains behind it. */
import assert from 'node:assert/strict';
import type { DirectorySettings } from '../../../engine/ldap/settings.js';
import { startForest } from '../../support/directory/forest.js';
import { startDirectory } from '../../support/directory/index.js';
import { type Fault, type FaultProxy, berMessages, startFaultProxy } from '../../support/fault-proxy.js';
import type { LdifEntry } from '../../support/ldif.js';
import { type WholeRead, readAll, settingsFor } from '../ldap/reading.js';

const BASE = 'DC=example,DC=test';
const SALES = `DC=sales,${BASE}`;
const USER = `CN=Reader,${BASE}`;
const MEMBERS = Array.from({ length: 7_000 }, (_, number) => `CN=Person ${number},${BASE}`);
const FILTER = '(|(mail=*)(cn=All)(cn=Local)(cn=Sellers))';

const cutBefore = (message: number): Fault => ({ kind: 'cut', direction: 'down', at: { message } });

function person(name: string, base: string): LdifEntry {
  const mail = [`${name}@example.test`];
  const proxyAddresses = mail.map((address) => `SMTP:${address}`);
  return { dn: `CN=${name},${base}`, attributes: { objectClass: ['user'], mail, proxyAddresses } };
}

function group(name: string, base: string, groupType: string, member: readonly string[]): LdifEntry {
  return { dn: `CN=${name},${base}`, attributes: { objectClass: ['group'], groupType: [groupType], member } };
}

const restartsOf = ({ seal }: WholeRead) => Number(seal.stages[0]?.figures['searchesBegunAgain'] ?? 0);

/** A read for each message that the server sends, with the connection cut before it; until there is no such message. */
async function cutAtEveryMessage(one: (fault: Fault) => Promise<{ read: WholeRead; fired: boolean }>) {
  const reads: WholeRead[] = [];
  for (let message = 0; ; message += 1) {
    const { read, fired } = await one(cutBefore(message));
    if (!fired) return reads;
    reads.push(read);
  }
}

describe('begun again after a cut', () => {
  it('ranges: on the same server, and every member once', async () => {
    const entries = [person('ada', BASE), group('All', BASE, '8', MEMBERS), person('bob', BASE)];
    const directory = await startDirectory({ entries, base: BASE, users: { [USER]: 'secret' } });
    try {
      const reads = await cutAtEveryMessage(async (fault) => {
        const faults = (connection: number) => (connection === 0 ? [fault] : []);
        const proxy = await startFaultProxy({ to: directory, faults, framing: berMessages });
        try {
          const settings = settingsFor(proxy.port, { user: USER, base: null });
          return { read: await readAll(settings, { filter: FILTER }), fired: proxy.fired.length > 0 };
        } finally {
          await proxy.close();
        }
      });
      const again = reads.filter((read) => restartsOf(read) > 0);
      for (const { seal, records } of reads.filter(({ seal: { complete } }) => complete)) {
        assert.equal(seal.proof?.ranges.ended, seal.proof?.ranges.started);
        assert.deepEqual(records.map(({ dn }) => dn).sort(), entries.map(({ dn }) => dn).sort());
        const all = records.find(({ kind }) => kind === 'group');
        assert.ok(all?.kind === 'group' && all.held === undefined);
        assert.deepEqual(all.attributes['member'], MEMBERS);
      }
      // Four ranges of two messages each, and the pages: all but the beginning and the end of the connection.
      assert.ok(again.filter(({ seal }) => seal.complete).length >= 10, `${again.length} begun again`);
      assert.ok(again.every((read) => restartsOf(read) === 1));
    } finally {
      await directory.close();
    }
  });

  it('ranges: a connection that is always cut there is given up, and nothing is proven', async () => {
    const entries = [group('All', BASE, '8', MEMBERS)];
    const directory = await startDirectory({ entries, base: BASE, users: { [USER]: 'secret' } });
    const proxy = await startFaultProxy({ to: directory, faults: () => [cutBefore(9)], framing: berMessages });
    try {
      const read = await readAll(settingsFor(proxy.port, { user: USER, base: null }), { filter: FILTER });
      assert.equal(read.failure?.code, 'CONNECTION_LOST');
      assert.equal(read.seal.proof, null);
      assert.equal(proxy.connections, 3);
    } finally {
      await proxy.close();
      await directory.close();
    }
  });

  for (const [what, quirks, expected] of [
    ['somebody else is bound', { identityChangesAfter: 1 }, 'CONNECTION_LOST'],
    ['it is another database', { invocationId: '11111111-2222-3333-4444-555555555555' }, 'CONNECTION_LOST'],
    ['nothing has changed', {}, undefined],
  ] as const) {
    it(`the same server: ${what} behind the cut`, async () => {
      const entries = Array.from({ length: 5 }, (_, number) => person(`p${String(number)}`, BASE));
      const directory = await startDirectory({ entries, base: BASE, users: { [USER]: 'secret' } });
      const faults = (connection: number) => {
        // The connection behind the cut finds the server as it is now.
        if (connection === 1) directory.setQuirks(quirks);
        return connection === 0 ? [cutBefore(9)] : [];
      };
      const proxy = await startFaultProxy({ to: directory, faults, framing: berMessages });
      try {
        const { failure, seal } = await readAll(settingsFor(proxy.port, { user: USER, base: null }));
        assert.deepEqual([failure?.code, seal.complete, proxy.connections], [expected, expected === undefined, 2]);
      } finally {
        await proxy.close();
        await directory.close();
      }
    });
  }

  /** The forest, with a proxy before each controller and catalog; only the one numbered `faulty` does harm. */
  async function readForest(faulty: number, faults: (connection: number) => Fault[]) {
    const forest = await startForest({
      domains: [
        { base: BASE, entries: [person('ada', BASE), group('Local', BASE, '4', [`CN=ada,${BASE}`])] },
        { base: SALES, entries: [person('eve', SALES), group('Sellers', SALES, '2', [`CN=eve,${SALES}`])] },
      ],
      users: { 'reader@example.test': 'secret' },
    });
    const proxies = new Map<number, FaultProxy>();
    for (const { directory, catalog } of forest.controllers) {
      for (const to of [directory, catalog]) {
        if (to === null) continue;
        const harm = proxies.size === faulty ? faults : () => [];
        proxies.set(to.port, await startFaultProxy({ to, faults: harm, framing: berMessages }));
      }
    }
    const settings: DirectorySettings = {
      ...settingsFor(1),
      servers: [],
      discovery: { domain: 'example.test', site: null },
      // In the order of the domains: one catalog is asked, and it shall be the same each time.
      resolveSrv: async (name) =>
        (await forest.resolveSrv(name))
          .slice(0, 1)
          .map((record) => ({ ...record, port: proxies.get(record.port)?.port ?? record.port })),
      user: 'reader@example.test',
      base: null,
      globalCatalog: true,
    };
    try {
      const read = await readAll(settings, { filter: FILTER });
      const fired = [...proxies.values()].some((proxy) => proxy.fired.length > 0);
      return { read, fired };
    } finally {
      await Promise.all([...proxies.values()].map((proxy) => proxy.close()));
      await forest.close();
    }
  }

  const dnsOf = ({ records }: WholeRead) => records.map(({ dn }) => dn).sort();

  for (const [faulty, name, least] of [
    [0, 'the own domain', 4],
    [1, 'the catalog', 4],
    [2, 'another domain', 3],
  ] as const) {
    it(`a forest: a cut at any message of ${name} is made good, or nothing is proven`, async () => {
      const { read: whole } = await readForest(-1, () => []);
      assert.equal(whole.seal.complete, true);
      const reads = await cutAtEveryMessage((fault) =>
        readForest(faulty, (connection) => (connection === 0 ? [fault] : [])),
      );
      const complete = reads.filter(({ seal }) => seal.complete);
      for (const read of complete) {
        assert.deepEqual(dnsOf(read), dnsOf(whole));
        for (const record of read.records) assert.ok(record.kind !== 'quarantined' && record.held === undefined);
        assert.ok(read.seal.proof?.searches.every(({ ended }) => ended));
      }
      for (const { seal } of reads.filter((read) => !read.seal.complete)) assert.equal(seal.proof, null);
      const madeGood = complete.filter((read) => restartsOf(read) === 1).length;
      assert.ok(madeGood >= least, `${madeGood} of ${reads.length} cuts made good`);
    }).timeout(60_000);
  }

  it('a forest: a domain whose connection is always cut is held, as one that does not answer', async () => {
    const { read } = await readForest(2, () => [cutBefore(6)]);
    assert.equal(read.seal.complete, false);
    assert.equal(read.seal.incomplete[0]?.code, 'DOMAIN_UNANSWERED');
  });
});
