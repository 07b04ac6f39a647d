/** The example flows for customising do what they say, with the real core nodes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { NodeInitializer, NodeMessageInFlow } from 'node-red';
import { Type } from '@sinclair/typebox';
import { contractFault, parserOf } from '../../engine/model/check.js';
import { batchMessage, parseEnrichedMessage, sealMessage } from '../../engine/model/message.js';
import { RunLedger } from '../../engine/model/ledger.js';
import type { DirectoryObject, EnrichedRecord } from '../../engine/model/records.js';
import type { Run } from '../../engine/model/run.js';
import { stoppedSeal } from '../../engine/runtime/stopped-seal.js';
import { type Flow, type FlowNode, NODE_RED, startFlow } from '../support/flow.js';

const EXAMPLES = join(__dirname, '..', '..', '..', 'examples');
const core = createRequire(require.resolve(`node-red-${NODE_RED}`));
const CORE = ['function/10-function.js', 'function/15-change.js', 'network/21-httprequest.js'].map(
  (file) => core(`@node-red/nodes/core/${file}`) as NodeInitializer,
);
const run: Run = { id: 'run-00000001', source: 's', mode: 'full', startedAt: '2026-01-01T00:00:00Z', batch: 0 };
const parseFlow = parserOf(
  Type.Array(
    Type.Object({
      id: Type.String(),
      type: Type.String(),
      wires: Type.Optional(Type.Array(Type.Array(Type.String()))),
    }),
  ),
  contractFault('the example'),
);
const user = (name: string, dn: string, attributes: DirectoryObject['attributes']): DirectoryObject => ({
  kind: 'user',
  id: name,
  dn,
  attributes: { cn: [name], mail: [`${name}@x.example`], ...attributes },
});

/** The example without its beginning and its end: tests send in what extract would, and collect what comes out. */
function example(name: string, changes: Record<string, Record<string, unknown>> = {}): FlowNode[] {
  const text = readFileSync(join(EXAMPLES, name), 'utf8');
  const left = new Set(['tab', 'comment', 'inject', 'directory-extract', 'directory-server']);
  return parseFlow(JSON.parse(text))
    .filter(({ type }) => !left.has(type))
    .map((node): FlowNode => {
      const { z, ...rest }: FlowNode = {
        ...node,
        ...(node.type === 'debug' ? { type: 'helper' } : {}),
        ...changes[node.id],
      };
      return z === undefined ? rest : { ...rest };
    });
}

function recordsOf(message: NodeMessageInFlow | undefined): EnrichedRecord[] {
  const parsed = parseEnrichedMessage(message);
  assert.ok(parsed.topic === 'batch');
  return parsed.payload;
}
/** Through JSON, because what a function node makes is of another realm. */
function attributesOf(records: readonly EnrichedRecord[]): unknown {
  return JSON.parse(
    JSON.stringify(records.map((record) => (record.kind === 'user' ? record.attributes : record.kind))),
  );
}

describe('the example flows for customising', function () {
  this.timeout(20_000);
  let flow: Flow;
  let server: Server | undefined;
  afterEach(async () => {
    await flow.stop();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(null)));
    server = undefined;
  });

  it('"Change records" leaves out, renames, drops, maps and adds, and passes on the seal', async () => {
    flow = await startFlow(example('02 - Change records.json'), { types: CORE });
    const records = [
      user('ada', 'CN=ada,OU=Staff,DC=x', { department: ['R+D'], mobile: ['1'], extensionAttribute1: ['4711'] }),
      user('svc', 'CN=svc,OU=Service Accounts,DC=x', {}),
      { kind: 'group' as const, id: 'g', dn: 'CN=g,DC=x', attributes: { cn: ['g'] } },
    ];
    flow.send('dirsync-change-before', batchMessage(run, 0, records));
    flow.send('dirsync-change-before', batchMessage(run, 1, []));
    flow.send('dirsync-change-before', sealMessage(run, { ...stoppedSeal(new RunLedger(run)), batches: 2 }));
    await flow.until('all', () => flow.received('dirsync-change-out').length === 3);
    const [first, second, seal] = flow.received('dirsync-change-out');
    assert.deepEqual(attributesOf(recordsOf(first)), [
      { department: ['Research'], costCenter: ['4711'], company: ['Example'] },
      'group',
      'members',
    ]);
    assert.deepEqual(recordsOf(second), [], 'an empty batch stays a batch');
    assert.equal(parseEnrichedMessage(seal).topic, 'seal');
    assert.deepEqual(flow.caught(), []);
  });

  it('"Look up in another system" asks once for a batch, and goes on without an answer', async () => {
    const asked: unknown[] = [];
    const service = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const people: unknown = JSON.parse(body);
        asked.push(people);
        if (asked.length === 2) response.writeHead(500).end();
        else response.writeHead(200, { 'content-type': 'application/json' }).end('{"ada@x.example":"4711"}');
      });
    });
    server = service;
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
    const { port } = service.address() as AddressInfo;
    const changes = { 'dirsync-lookup-request': { url: `http://127.0.0.1:${port}/by-address` } };
    flow = await startFlow(example('03 - Look up in another system.json', changes), { types: CORE });
    const people = [user('ada', 'CN=ada,DC=x', {}), user('bob', 'CN=bob,DC=x', {})];
    flow.send('dirsync-lookup-enrich', batchMessage(run, 0, people));
    await flow.until('an answer', () => flow.received('dirsync-lookup-out').length === 1);
    flow.send('dirsync-lookup-enrich', batchMessage(run, 1, people));
    flow.send('dirsync-lookup-enrich', sealMessage(run, { ...stoppedSeal(new RunLedger(run)), batches: 2 }));
    await flow.until('all', () => flow.received('dirsync-lookup-out').length === 3);
    const batches = flow.received('dirsync-lookup-out').filter(({ topic }) => topic === 'batch');
    assert.deepEqual(
      batches.map((one) => attributesOf(recordsOf(one))),
      [
        [{ costCenter: ['4711'] }, {}],
        [{}, {}],
      ],
    );
    assert.deepEqual(asked, [
      ['ada@x.example', 'bob@x.example'],
      ['ada@x.example', 'bob@x.example'],
    ]);
    assert.deepEqual(
      Object.keys(batches[0] ?? {}).filter((name) => ['headers', 'records', 'statusCode'].includes(name)),
      [],
    );
  });
});
