import assert from 'node:assert/strict';
import { type Location, type ResolveSrv, type SrvRecord, locateServers } from '../../../engine/ldap/locate.js';
import { openSession } from '../../../engine/ldap/session.js';
import type { DirectorySyncError } from '../../../engine/model/errors.js';
import { startForest } from '../../support/directory/forest.js';
import { codeOf, plainClient, settingsFor, withServer } from './reading.js';
import { pages } from './scripted-server.js';

const DOMAIN: Location = { domain: 'example.test', site: null, service: 'controllers', encryption: 'none' };
const ALL = '_ldap._tcp.dc._msdcs.example.test';
const BERLIN = '_ldap._tcp.Berlin._sites.dc._msdcs.example.test';

const record = (name: string, priority = 0, weight = 100, port = 389): SrvRecord => ({ name, port, priority, weight });

function resolver(zone: Readonly<Record<string, readonly SrvRecord[]>>): ResolveSrv & { asked: string[] } {
  const asked: string[] = [];
  const resolve = (name: string) => {
    asked.push(name);
    const found = zone[name];
    return found ? Promise.resolve(found) : Promise.reject(Object.assign(new Error('none'), { code: 'ENOTFOUND' }));
  };
  return Object.assign(resolve, { asked });
}

const deadline = (milliseconds = 1_000, signal = new AbortController().signal) => ({
  at: Date.now() + milliseconds,
  milliseconds,
  signal,
});
const hosts = async (...given: Parameters<typeof locateServers>) =>
  (await locateServers(...given)).map(({ host, port }) => `${host}:${port}`);

describe('servers by DNS', () => {
  it('the lowest priority comes first', async () => {
    const resolve = resolver({ [ALL]: [record('c', 20), record('a', 0), record('b', 10)] });
    assert.deepEqual(await hosts(DOMAIN, deadline(), resolve), ['a:389', 'b:389', 'c:389']);
  });

  it('within a priority the weight is the share of first places, and every server is in the list', async () => {
    const resolve = resolver({ [ALL]: [record('heavy', 0, 90), record('light', 0, 10), record('never', 0, 0)] });
    const first = { heavy: 0, light: 0, never: 0 };
    for (let draw = 0; draw < 1_000; draw += 1) {
      const at = draw / 1_000;
      const [one, ...others] = await locateServers(DOMAIN, deadline(), resolve, () => at);
      assert.equal(others.length, 2);
      first[one?.host as keyof typeof first] += 1;
    }
    assert.ok(Math.abs(first.heavy - 900) < 5 && Math.abs(first.light - 100) < 5, JSON.stringify(first));
  });

  it('those of the site come first, then the others, each once', async () => {
    const resolve = resolver({ [BERLIN]: [record('berlin.', 50)], [ALL]: [record('vienna'), record('Berlin')] });
    const located = await hosts({ ...DOMAIN, site: 'Berlin' }, deadline(), resolve);
    assert.deepEqual(located, ['berlin:389', 'vienna:389']);
    assert.deepEqual(resolve.asked, [BERLIN, ALL]);
  });

  it('a site without servers, or of another spelling, leaves those of the domain', async () => {
    const resolve = resolver({ [ALL]: [record('vienna')] });
    assert.deepEqual(await hosts({ ...DOMAIN, site: 'Nowhere' }, deadline(), resolve), ['vienna:389']);
  });

  it('for LDAPS the ports that DNS names are those beside them', async () => {
    const resolve = resolver({
      [ALL]: [record('a'), record('b', 1, 0, 10_389)],
      '_gc._tcp.example.test': [record('a', 0, 0, 3268)],
    });
    assert.deepEqual(await hosts({ ...DOMAIN, encryption: 'ldaps' }, deadline(), resolve), ['a:636', 'b:10389']);
    assert.deepEqual(await hosts({ ...DOMAIN, service: 'catalogs', encryption: 'ldaps' }, deadline(), resolve), [
      'a:3269',
    ]);
    assert.deepEqual(await hosts({ ...DOMAIN, service: 'catalogs', encryption: 'starttls' }, deadline(), resolve), [
      'a:3268',
    ]);
  });

  it('a directory that is not Active Directory is found by its plain record', async () => {
    const resolve = resolver({ '_ldap._tcp.example.test': [record('ldap')] });
    assert.deepEqual(await hosts({ ...DOMAIN, domain: 'example.test.' }, deadline(), resolve), ['ldap:389']);
  });

  it('a target of "." says that there is no such service', async () => {
    const resolve = resolver({ [ALL]: [record('.'), record('')] });
    assert.equal(await codeOf(locateServers(DOMAIN, deadline(), resolve)), 'NO_SERVERS_IN_DNS');
  });

  it('no record, no answer, a refusal: each says what to do', async () => {
    const silent: ResolveSrv = () => new Promise(() => undefined);
    const refused: ResolveSrv = () => Promise.reject(Object.assign(new Error('x'), { code: 'ESERVFAIL' }));
    const fails = async (resolve: ResolveSrv) =>
      locateServers(DOMAIN, deadline(30), resolve).catch((error: unknown) => error as DirectorySyncError);
    for (const [resolve, code] of [
      [resolver({}), 'NO_SERVERS_IN_DNS'],
      [silent, 'DNS_FAILED'],
      [refused, 'DNS_FAILED'],
    ] as const) {
      const error = await fails(resolve);
      assert.ok(error instanceof Error);
      assert.equal(error.code, code);
      assert.match(error.message, /"servers"/);
    }
  });

  it('stops at once when the run is stopped', async () => {
    const stop = new AbortController();
    const silent: ResolveSrv = () => new Promise(() => undefined);
    const locating = locateServers(DOMAIN, deadline(60_000, stop.signal), silent);
    stop.abort();
    assert.equal(await codeOf(locating), 'STOPPED');
  });
});

describe('a session by domain', () => {
  it('takes the next server where the first cannot be reached, and keeps it', () =>
    withServer(pages([1]), async ({ port }) => {
      const resolveSrv = resolver({ [ALL]: [record('127.0.0.1', 0, 0, 1), record('127.0.0.1', 1, 0, port)] });
      const discovery = { domain: 'example.test', site: null };
      const settings = { ...settingsFor(port), servers: [], discovery, resolveSrv };
      const session = await openSession(settings, new AbortController().signal);
      assert.equal(session.url, `ldap://127.0.0.1:${port}`);
      await session.close();
    }));

  it('negative control: plain ldapts knows one server, and fails where that one cannot be reached', async () => {
    await assert.rejects(plainClient(1), /ECONNREFUSED/);
  });

  it('finds the controller of its site in a forest', async () => {
    const controllers = [{ site: 'Berlin' }, { hostName: 'dc2.example.test', site: 'Vienna' }];
    const forest = await startForest({
      domains: [{ base: 'DC=example,DC=test', entries: [], controllers }],
      users: { reader: 'secret' },
    });
    try {
      const { resolveSrv } = forest;
      const settings = { ...settingsFor(1), servers: [], user: 'reader', resolveSrv };
      for (const site of ['Berlin', 'Vienna']) {
        const session = await openSession(
          { ...settings, discovery: { domain: 'example.test', site } },
          new AbortController().signal,
        );
        assert.equal(session.rootDse.dnsHostName, site === 'Berlin' ? 'dc1.example.test' : 'dc2.example.test');
        await session.close();
      }
    } finally {
      await forest.close();
    }
  });

  it('neither servers nor a domain is refused before anything is asked', async () => {
    assert.equal(
      await codeOf(openSession({ ...settingsFor(1), servers: [] }, new AbortController().signal)),
      'SETTING_MISSING',
    );
  });
});
