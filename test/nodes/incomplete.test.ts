/**
 * Whatever makes a read incomplete, nothing is taken from the account: kinds of it through the real nodes, each while people,
 * a group, a member, an alias and a title are really gone from the directory. A complete read takes them away, with the same
 * settings.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeInitializer } from 'node-red';
import type { AccountSnapshot } from '../../engine/account/snapshot.js';
import { contractFault, parserOf } from '../../engine/model/check.js';
import { Report } from '../../engine/model/report.js';
import { accounts } from '../../nodes/shared/offers.js';
import { type SampleDirectory, startDirectory } from '../support/directory/index.js';
import { DEFAULT_QUIRKS } from '../support/directory/quirks.js';
import { type Flow, type FlowNode, NODE_RED, startFlow } from '../support/flow.js';
import { type TamperProxy, startTamperProxy } from '../support/tamper.js';
import { BASE, GONE, MEMBER_GONE, ON_THE_WAY, READING, STAFF, USER, directoryEntries } from './incomplete-kinds.js';

const parseReport = parserOf(Report, contractFault('the report'));
const core = createRequire(require.resolve(`node-red-${NODE_RED}`));
const functionNode = core('@node-red/nodes/core/function/10-function.js') as NodeInitializer;
const [BEFORE, AFTER] = [directoryEntries('before'), directoryEntries('after')];
const LIMITS = ['Users', 'Groups', 'Members', 'MembersPerGroup', 'Addresses'];

describe('kinds of incomplete reads', () => {
  it('there are forty kinds of it, at least', () => {
    const names = [...READING, ...ON_THE_WAY].map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    assert.ok(names.length >= 40, String(names.length));
  });
});

describe('an incomplete read takes nothing away', function () {
  this.timeout(60_000);
  let directory: SampleDirectory;
  let proxy: TamperProxy;
  let folder: string;
  let flow: Flow;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'incomplete-'));
    directory = await startDirectory({ entries: BEFORE, base: BASE, users: { [USER]: 'secret' }, encryption: 'plain' });
    proxy = await startTamperProxy(directory);
  });
  afterEach(async () => {
    await flow.stop();
    await proxy.close();
    await directory.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  const start = async (nodes: readonly FlowNode[]) => {
    const servers = nodes.filter(({ type }) => type === 'directory-server');
    const credentials = Object.fromEntries(servers.map(({ id }) => [id, { user: USER, password: 'secret' }]));
    flow = await startFlow(nodes, { credentials, types: [functionNode] });
  };
  const serverNode = (id: string, rest: object = {}): FlowNode => ({
    id,
    type: 'directory-server',
    servers: `127.0.0.1:${String(proxy.port)}`,
    encryption: 'none',
    base: BASE,
    pageSize: 5,
    connectTimeout: 1,
    idleTimeout: 1,
    ...rest,
  });
  const extractNode = (id: string, next: string, rest: object = {}): FlowNode => ({
    id,
    type: 'directory-extract',
    version: 2,
    source: 'company',
    attributes: 'title',
    canaries: STAFF,
    batchSize: 5,
    window: 100,
    wires: [[next]],
    ...rest,
  });
  /** Everything is removed at once, and without limit, where a run is complete. */
  const applying = (at: string): FlowNode[] => [
    {
      id: `${at}account`,
      type: 'directory-account',
      file: join(folder, `${at}account.sqlite`),
      attributes: 'title',
      userLeft: 'remove',
      graceDays: 0,
      graceRuns: 1,
      holdUnusual: false,
      ...Object.fromEntries(LIMITS.map((of) => [`limit${of}`, 'unlimited'])),
    },
    { id: `${at}apply`, type: 'directory-apply', account: `${at}account`, wires: [[`${at}report`]] },
    { id: `${at}report`, type: 'helper', wires: [] },
  ];
  const snapshot = (at = '') =>
    accounts.take(flow.RED, flow.node(`${at}apply`), `${at}account`)((account) => account.snapshot());
  const reports = (at = '') =>
    flow
      .received(`${at}report`)
      .filter(({ topic }) => topic === 'report')
      .map(({ payload }) => parseReport(payload));
  const run = async (extract: string, at = ''): Promise<Report | undefined> => {
    const before = reports(at).length;
    flow.send(extract, {});
    await flow.until(`a report to ${extract}`, () => reports(at).length > before, 20_000);
    return reports(at).at(-1);
  };

  it('in reading; negative control: a complete read takes all of it away', async () => {
    await start([
      serverNode('server'),
      extractNode('extract', 'enrich', { server: 'server' }),
      ...READING.flatMap(({ name, server, extract }) => [
        serverNode(`${name}-server`, server),
        extractNode(name, 'enrich', { server: `${name}-server`, ...extract }),
      ]),
      { id: 'enrich', type: 'directory-enrich', membersPerRecord: 4, wires: [['apply']] },
      ...applying(''),
    ]);
    assert.equal((await run('extract'))?.complete, true);
    const full = await snapshot();
    assert.equal(full.users.length, 12);
    directory.reload(AFTER);
    for (const { name, quirks, tamper } of READING) {
      directory.setQuirks({ ...DEFAULT_QUIRKS, ...quirks });
      proxy.tamper = tamper ?? null;
      const changed = proxy.changed;
      const report = await run(name);
      if (tamper) assert.ok(proxy.changed > changed, `${name}: an answer was to be changed`);
      assert.deepEqual([report?.complete, Number(report?.incomplete.length) > 0], [false, true], name);
      assert.deepEqual(missing(full, await snapshot()), [], name);
    }
    directory.setQuirks(DEFAULT_QUIRKS);
    proxy.tamper = null;
    assert.equal((await run('extract'))?.complete, true);
    assert.deepEqual(missing(full, await snapshot()), GONE);
  });

  it('a group whose ranges do not close keeps its members, whoever else goes', async () => {
    await start([
      serverNode('server'),
      extractNode('extract', 'enrich', { server: 'server' }),
      { id: 'enrich', type: 'directory-enrich', wires: [['apply']] },
      ...applying(''),
    ]);
    await run('extract');
    const full = await snapshot();
    directory.reload(AFTER);
    let changes = 0;
    const mutateBetweenRanges = () => {
      changes += 1;
      return AFTER.map((entry) =>
        entry.dn.startsWith('CN=Team,')
          ? { ...entry, attributes: { ...entry.attributes, description: [`change ${String(changes)}`] } }
          : entry,
      );
    };
    directory.setQuirks({ maxValRange: 3, mutateBetweenRanges });
    const report = await run('extract');
    assert.deepEqual([report?.complete, report?.groupsHeld, changes > 2], [true, 1, true]);
    assert.deepEqual(
      missing(full, await snapshot()),
      GONE.filter((fact) => fact !== MEMBER_GONE),
    );
  });

  it('on the way from node to node; negative control: unspoilt, all of it goes', async () => {
    const at = (name: string) => `${name}-`;
    await start([
      serverNode('server', { connectTimeout: 20, idleTimeout: 20 }),
      ...ON_THE_WAY.flatMap(({ name, early = 'return msg;', late = 'return msg;' }) => [
        extractNode(at(name), `${at(name)}early`, { server: 'server' }),
        { id: `${at(name)}early`, type: 'function', func: early, outputs: 1, wires: [[`${at(name)}enrich`]] },
        { id: `${at(name)}enrich`, type: 'directory-enrich', membersPerRecord: 4, wires: [[`${at(name)}late`]] },
        { id: `${at(name)}late`, type: 'function', func: late, outputs: 1, wires: [[`${at(name)}apply`]] },
        ...applying(at(name)),
      ]),
    ]);
    const full = new Map<string, AccountSnapshot>();
    /** All of them at once. */
    const whole = async () => {
      const said = await Promise.all(ON_THE_WAY.map(({ name }) => run(at(name), at(name))));
      for (const report of said) assert.deepEqual(report?.incomplete, []);
    };
    await whole();
    for (const { name } of ON_THE_WAY) full.set(name, await snapshot(at(name)));
    directory.reload(AFTER);
    for (const { name } of ON_THE_WAY) flow.send(at(name), { spoil: true });
    const awaited = ON_THE_WAY.filter(({ then }) => then !== 'nothing');
    await flow.until('the reports', () => awaited.every(({ name }) => reports(at(name)).length === 2), 40_000);
    await sleep(200);
    for (const { name, then } of ON_THE_WAY) {
      const [, report] = reports(at(name));
      const gone = missing(full.get(name) ?? (await snapshot(at(name))), await snapshot(at(name)));
      if (then === 'nothing') assert.equal(report, undefined, name);
      else assert.equal(report?.complete, then === 'held', name);
      if (then === 'held') assert.ok(!gone.includes(MEMBER_GONE) && Number(report?.groupsHeld) > 0, name);
      else assert.deepEqual(gone, [], name);
    }
    await whole();
    for (const { name } of ON_THE_WAY) {
      assert.deepEqual(missing(full.get(name) ?? (await snapshot(at(name))), await snapshot(at(name))), GONE, name);
    }
  });
});

/** What the account had and has no more, sorted. */
function missing(before: AccountSnapshot, after: AccountSnapshot): string[] {
  const left = new Set(factsOf(after));
  return factsOf(before)
    .filter((fact) => !left.has(fact))
    .sort();
}

function factsOf({ users, groups }: AccountSnapshot): string[] {
  return [
    ...users.flatMap(({ address, aliases, attributes, enabled }) => [
      `user ${address}${enabled ? '' : ' disabled'}`,
      ...aliases.map((alias) => `alias ${alias}`),
      ...Object.entries(attributes).map(([name, value]) => `attribute ${name}=${value} of ${address}`),
    ]),
    ...groups.flatMap(({ name, members }) => [
      `group ${name}`,
      ...members.map((member) => `member ${member} of ${name}`),
    ]),
  ];
}
