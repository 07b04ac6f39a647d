/**
 * Held plans in a real Node-RED: who may see and decide them through the editor's server, what the routes make of nonsense,
 * the same decisions by message, and that an approval fits one plan once.
 */
import assert from 'node:assert/strict';
import { APPLY_FLOW, ApplyByHttp, type ReportSeen, type Seen, reportOf, reported } from '../support/apply-by-http.js';
import { NODE_RED } from '../support/flow.js';
import { type NodeRed, startNodeRed, tokenOf } from '../support/node-red.js';

/** bcrypt of `secret`: what settings.js of Node-RED holds of a password. */
const HASH = '$2b$04$Gzd098zS7SSMb5zuTZW8V.xO7tj0ie11ygIDe2K72Hi0ml1l8Lizy';
const ROLES = {
  reader: 'read',
  writer: 'write',
  approver: ['directory-sync.approve'],
  readingApprover: ['read', 'directory-sync.approve'],
  admin: '*',
} as const;
type Role = keyof typeof ROLES;
const MAY: readonly (Role | 'nobody')[] = ['approver', 'readingApprover', 'admin'];

describe(`approval in Node-RED ${NODE_RED}`, function () {
  this.timeout(90_000);
  let nodeRed: NodeRed;
  const tokens = new Map<string, string>();
  let apply: ApplyByHttp;

  before(async () => {
    const users = Object.entries(ROLES).map(([username, permissions]) => ({ username, password: HASH, permissions }));
    const login = { username: 'admin', password: 'secret' };
    nodeRed = await startNodeRed({
      version: NODE_RED,
      settings: { adminAuth: { type: 'credentials', users } },
      login,
    });
    await nodeRed.deploy(APPLY_FLOW);
    apply = new ApplyByHttp(nodeRed.url);
    for (const username of Object.keys(ROLES)) {
      tokens.set(username, await tokenOf(nodeRed.url, { username, password: 'secret' }));
    }
  });
  after(() => nodeRed.stop());

  const ROOT = '/directory-sync/apply';
  async function ask(who: Role | 'nobody', method: string, path: string, body?: string, type = 'application/json') {
    const token = tokens.get(who);
    const response = await fetch(`${nodeRed.url}${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'Content-Type': type }),
      },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    const json: unknown = isJson ? JSON.parse(text) : null;
    return { status: response.status, body: json, code: (json as { code?: string } | null)?.code };
  }
  const failed = (all: Seen[]) => all.some(({ error }) => error !== undefined);
  const seen = () => apply.seen();
  const send = (message: object, until: (all: Seen[]) => boolean) => apply.send(message, until);
  const run = (count: number) => apply.run(count);
  const held = () => apply.held();

  it('routes by roles: with the own permission, or all of them; not with read or write', async () => {
    const { plan } = await held();
    const routes: readonly (readonly [string, string])[] = [
      ['GET', `${ROOT}/apply/plans`],
      ['GET', `${ROOT}/apply/plans/${plan}`],
      ['GET', `${ROOT}/apply/plans/${plan}/steps`],
      ['POST', `${ROOT}/apply/plans/${plan}/approve`],
      ['POST', `${ROOT}/apply/plans/${plan}/reject`],
    ];
    for (const [method, path] of routes) {
      for (const who of ['nobody', 'reader', 'writer'] as const) {
        assert.equal((await ask(who, method, path)).status, 401, `${who} ${method} ${path}`);
      }
    }
    for (const who of MAY) {
      const list = await ask(who, 'GET', `${ROOT}/apply/plans`);
      const [one] = list.body as { plan: string; source: string; changes: number }[];
      assert.deepEqual([list.status, one?.plan, one?.source, one?.changes], [200, plan, 'hq', 3], who);
      const shown = await ask(who, 'GET', `${ROOT}/apply/plans/${plan}`);
      assert.deepEqual(
        (shown.body as { change: string }[]).map(({ change }) => change),
        ['leaving', 'leaving', 'leaving'],
      );
      const steps = await ask(who, 'GET', `${ROOT}/apply/plans/${plan}/steps`);
      assert.deepEqual(steps.body, [{ kind: 'user', change: 'leaving', count: 3 }]);
      for (const [query, count] of [
        ['kind=user&change=leaving&after=0', 3],
        ['change=added', 0],
        ['change=leaving&change=added&after=none', 3],
      ] as const) {
        const some = await ask(who, 'GET', `${ROOT}/apply/plans/${plan}?${query}`);
        assert.deepEqual([some.status, (some.body as unknown[]).length], [200, count], query);
      }
    }
    for (const who of MAY) {
      const { plan: waiting } = await held();
      const done = await ask(who, 'POST', `${ROOT}/apply/plans/${waiting}/reject`);
      const { outcome, decidedBy } = done.body as ReportSeen;
      assert.deepEqual([done.status, outcome, decidedBy], [200, 'rejected', who]);
    }
  });

  it('an approval fits one plan once, by route', async () => {
    const { plan } = await held();
    const path = `${ROOT}/apply/plans/${plan}`;
    const before = (await seen()).length;
    const done = await ask('approver', 'POST', `${path}/approve`);
    assert.deepEqual([done.status, (done.body as ReportSeen).outcome], [200, 'committed']);
    const told = (await seen()).slice(before);
    assert.equal(reportOf(told).decidedBy, 'approver', 'the report leaves the node, too');
    assert.ok(told.some(({ topic, port }) => topic === 'changes' && port === 1));
    for (const verdict of ['approve', 'reject']) {
      const again = await ask('approver', 'POST', `${path}/${verdict}`);
      assert.deepEqual([again.status, again.code], [409, 'PLAN_DECIDED']);
    }
    assert.deepEqual(
      [(await ask('approver', 'GET', path)).code, (await ask('approver', 'GET', path)).status],
      ['PLAN_UNKNOWN', 404],
    );
    assert.deepEqual((await ask('approver', 'GET', `${ROOT}/apply/plans`)).body, []);
  });

  it('two approvals at once: one is taken', async () => {
    const { plan } = await held();
    const path = `${ROOT}/apply/plans/${plan}/approve`;
    const both = await Promise.all([ask('approver', 'POST', path), ask('admin', 'POST', path)]);
    assert.deepEqual(both.map(({ status }) => status).sort(), [200, 409]);
  });

  it('nonsense is refused, and who decides is who is logged in', async () => {
    const { plan } = await held();
    const path = `${ROOT}/apply/plans/${plan}`;
    const unknown = await ask('approver', 'POST', `${ROOT}/apply/plans/sha-256:0/approve`);
    assert.deepEqual([unknown.status, unknown.code], [404, 'PLAN_UNKNOWN']);
    for (const node of ['nobody', 'account', '__proto__', 'constructor', '..%2Fapply']) {
      const missing = await ask('approver', 'GET', `${ROOT}/${node}/plans`);
      assert.deepEqual([missing.status, missing.code], [404, 'NODE_MISSING'], node);
    }
    assert.equal((await ask('approver', 'POST', `${path}/approve`, '{"plan":')).status, 400, 'JSON that is cut');
    assert.equal((await ask('approver', 'POST', `${ROOT}/apply/plans/%E0%A4%A/approve`)).status, 400);
    assert.equal((await ask('approver', 'GET', `${path}/approve`)).status, 404, 'deciding is no GET');
    assert.equal((await ask('approver', 'POST', `${path}/delete`)).status, 404);
    assert.equal(((await ask('approver', 'GET', `${ROOT}/apply/plans`)).body as unknown[]).length, 1, 'it waits still');
    const done = await ask(
      'approver',
      'POST',
      `${path}/reject`,
      JSON.stringify({ by: 'somebody else', plan: 'other' }),
    );
    assert.deepEqual([done.status, (done.body as ReportSeen).decidedBy], [200, 'approver']);
    assert.equal(nodeRed.log.filter((line) => /uncaught|unhandled/i.test(line)).length, 0);
  });

  it('the same by message; once, and not without a name', async () => {
    const { plan, all } = await held();
    const shown = all.find(({ topic }) => topic === 'plan');
    assert.deepEqual([shown?.port, shown?.plan, (shown?.payload as unknown[]).length], [2, plan, 3]);
    const errors = async (message: object) => (await send(message, failed)).flatMap(({ error }) => error?.code ?? []);
    for (const wrong of [
      { topic: 'approve', plan },
      { topic: 'approve', by: 'ada' },
      { topic: 'reject', plan: 7, by: 'ada' },
      { topic: 'approve', plan, by: '' },
      { topic: 'reject', plan, by: 'a'.repeat(257) },
    ]) {
      assert.deepEqual(await errors(wrong), ['NOT_AS_AGREED'], JSON.stringify(wrong));
    }
    assert.deepEqual(await errors({ topic: 'approve', plan: 'sha-256:0', by: 'ada' }), ['PLAN_UNKNOWN']);
    const done = await send({ topic: 'approve', plan, by: 'ada' }, (now) =>
      now.some(({ topic }) => topic === 'changes'),
    );
    const { outcome, decidedBy, plan: committed } = reportOf(done);
    assert.deepEqual([outcome, decidedBy, committed], ['committed', 'ada', plan]);
    for (const topic of ['approve', 'reject'])
      assert.deepEqual(await errors({ topic, plan, by: 'ada' }), ['PLAN_DECIDED']);
    const { plan: next } = await held();
    const rejected = await send({ topic: 'reject', plan: next, by: 'ada' }, reported);
    assert.equal(reportOf(rejected).outcome, 'rejected');
  });

  for (const verdict of ['approve', 'reject'] as const) {
    it(`what went ahead of a held plan is told once, and is in the journal of its run: ${verdict}`, async () => {
      // In an account of its own.
      const own = { account: { id: verdict, additionsWhileHeld: true }, apply: { account: verdict } };
      await nodeRed.deploy(APPLY_FLOW.map((node) => ({ ...node, ...own[node.id as keyof typeof own] })));
      const told = (all: Seen[]) =>
        all
          .filter(({ topic }) => topic === 'changes')
          .flatMap(({ payload }) =>
            (payload as { change: string; id: string }[]).map(({ change, id }) => `${change} ${id}`),
          );
      await apply.run(9);
      // What it changed is told behind its report, and before this answer.
      await send({ topic: 'plans' }, (now) => now.some(({ topic }) => topic === 'plans'));
      const { report, all } = await apply.run(6, 4);
      assert.equal(report.outcome, 'held');
      const ahead = told(all);
      assert.ok(ahead.includes('added p9'), ahead.join());
      const before = (await seen()).length;
      await send({ topic: verdict, plan: report.plan, by: 'ada' }, reported);
      // What the verdict changed, if nothing, may be told behind its report.
      const journal = (
        await send({ topic: 'journal', payload: { run: report.run } }, (now) =>
          now.some(({ topic }) => topic === 'journal'),
        )
      ).find(({ topic }) => topic === 'journal');
      const after = told((await seen()).slice(before));
      assert.equal(after.includes(ahead[0] ?? ''), false, 'not again');
      assert.equal(after.includes('leaving p0'), verdict === 'approve');
      const inJournal = (journal?.payload as { change: string; id: string }[]).map(
        ({ change, id }) => `${change} ${id}`,
      );
      assert.deepEqual(inJournal, verdict === 'approve' ? [...ahead, ...after] : ahead);
      await nodeRed.deploy(APPLY_FLOW);
    });
  }

  it('looks up, lists, exports and purges by message', async () => {
    await run(9);
    const answer = async (message: { topic: string; payload?: object }) =>
      (await send(message, (now) => now.some(({ topic }) => topic === message.topic) || failed(now)))[0];
    const found = (await answer({ topic: 'find', payload: { address: 'P1@Example.com' } }))?.payload;
    assert.equal((found as { id: string }).id, 'p1');
    assert.equal((await answer({ topic: 'find', payload: { address: 'x@example.com' } }))?.payload, null);
    assert.deepEqual((await answer({ topic: 'plans' }))?.payload, []);
    const last = (await answer({ topic: 'history', payload: { limit: 1 } }))?.payload as {
      source: string;
      run: string;
    }[];
    assert.deepEqual(
      last.map(({ source }) => source),
      ['hq'],
    );
    const run0 = last[0]?.run;
    assert.deepEqual((await answer({ topic: 'journal', payload: { run: run0 } }))?.payload, [], 'it changed nothing');
    const { plan, all } = await held();
    const shown = await answer({ topic: 'plan', payload: { plan } });
    assert.deepEqual(shown?.payload, all.find(({ topic }) => topic === 'plan')?.payload);
    assert.deepEqual((await answer({ topic: 'plan', payload: { plan: 'sha-256:0' } }))?.payload, []);
    const done = await send({ topic: 'approve', plan, by: 'ada' }, (now) =>
      now.some(({ topic }) => topic === 'changes'),
    );
    const journal = await answer({ topic: 'journal', payload: { run: reportOf(done).run } });
    assert.deepEqual(journal?.payload, done.find(({ topic }) => topic === 'changes')?.payload);
    assert.deepEqual((await answer({ topic: 'quarantine' }))?.payload, []);
    for (const format of ['csv', 'ndjson', 'ldif']) {
      const exported = await answer({ topic: 'export', payload: { format } });
      assert.match(String(exported?.payload), /p1@example\.com/, format);
    }
    assert.deepEqual((await answer({ topic: 'purge', payload: { days: 0 } }))?.payload, { purged: 0 });
    for (const wrong of [
      { topic: 'find', payload: {} },
      { topic: 'export', payload: { format: 'pdf' } },
      { topic: 'purge', payload: { days: -1 } },
      { topic: 'history', payload: { limit: 0 } },
      { topic: 'journal', payload: {} },
      { topic: 'plan', payload: { plan: 7 } },
    ]) {
      assert.equal((await answer(wrong))?.error?.code, 'NOT_AS_AGREED', JSON.stringify(wrong));
    }
  });
});
